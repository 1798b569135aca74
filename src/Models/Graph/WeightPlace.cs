using Condense.Models.Tensors;

namespace Condense.Models.Graph;

/// <summary>
/// What a value that stands for a weight looks like: the weight itself, or what became of it behind nodes that only shape, turn or cast it. Its
/// elements in order are those of the stored matrix S or, when flipped, of Sᵀ.
/// </summary>
/// <param name="Shape">The value's dimensions.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Flipped">Whether its elements stand in the order of Sᵀ.</param>
/// <param name="SplitRows">The rows of S by which it was turned; 0 when it never was.</param>
internal sealed record WeightPlace(TensorShape Shape, DType Type, bool Flipped, long SplitRows)
{
    /// <summary>The weight itself.</summary>
    /// <param name="tensor">The weight.</param>
    public static WeightPlace Of(Tensor tensor) => new(tensor.Shape, tensor.DType, Flipped: false, SplitRows: 0);

    /// <summary>Whether the value, seen as a matrix of so many rows, is S or Sᵀ, S being a matrix of so many rows and columns.</summary>
    /// <param name="matrixRows">Rows of the value's matrix.</param>
    /// <param name="storedRows">Rows of S.</param>
    /// <param name="storedColumns">Columns of S.</param>
    public bool Is(long matrixRows, long storedRows, long storedColumns)
        => Flipped ? SplitRows == storedRows && matrixRows == storedColumns : matrixRows == storedRows;

    /// <summary>The transpose of the value seen as a matrix; null when that is no longer S or Sᵀ.</summary>
    /// <param name="matrixRows">Rows of the value's matrix.</param>
    /// <param name="shape">The dimensions of the result.</param>
    public WeightPlace? Turn(long matrixRows, TensorShape shape)
    {
        if (!Flipped)
        {
            return this with { Shape = shape, Flipped = true, SplitRows = matrixRows };
        }

        return matrixRows == Shape.ElementCount / SplitRows ? this with { Shape = shape, Flipped = false } : null;
    }
}
