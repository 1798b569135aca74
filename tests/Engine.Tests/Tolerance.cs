namespace Condense.Engine.Tests;

/// <summary>Every tolerance of these tests, with its reason. All are relative unless the name says otherwise.</summary>
internal static class Tolerance
{
    /// <summary>A sum of up to some thousand f32 products: 2⁻²⁴·√terms, with room for an unlucky order.</summary>
    public const double FloatProduct = 4e-6;

    /// <summary>One rounding to f32.</summary>
    public const double FloatRounding = 6.0e-8;

    /// <summary>A sum of up to some thousand f64 products: 1.1e-16·terms.</summary>
    public const double DoubleProduct = 1e-12;

    /// <summary>Eigenvalues and residuals against the norm of the matrix: 1.1e-16 times a modest function of the order.</summary>
    public const double Eigen = 1e-13;

    /// <summary>Orthonormality of f64 vectors: 1.1e-16·√n.</summary>
    public const double DoubleOrthonormal = 1e-13;

    /// <summary>Orthonormality of f32 vectors: every entry is rounded to 6e-8, and n such errors add up like √n.</summary>
    public const double FloatOrthonormal = 5e-7;

    /// <summary>Identities of METHODS §0 that f64 carries alone: sums of squared singular values against norms.</summary>
    public const double Identity = 1e-10;

    /// <summary>
    /// The same through factors in f32: rounding of 6e-8·‖W‖ is independent of the residual, so it adds its square, and its product with a residual of
    /// 0.1·‖W‖ nearly cancels over thousands of entries.
    /// </summary>
    public const double IdentityInFloat = 1e-6;

    /// <summary>Recovery of a planted rank, error against ‖W‖: what f32 entries and factors lose.</summary>
    public const double PlantedRank = 5e-7;

    /// <summary>Excess over the optimum that subspace iteration promises on decaying spectra, in the norm.</summary>
    public const double SubspaceExcess = 1e-4;

    /// <summary>Squared values of subspace iteration against the whole energy: its vectors are orthonormal to the rounding of f32.</summary>
    public const double SubspaceEnergy = 1e-8;

    /// <summary>Predicted against measured squared error of low rank with int8 factors.</summary>
    public const double QuantizedPrediction = 0.05;
}
