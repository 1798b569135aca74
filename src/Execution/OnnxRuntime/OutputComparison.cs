namespace Condense.Execution.OnnxRuntime;

/// <summary>How far a model's outputs are from those of another, on the same random inputs.</summary>
public sealed record OutputComparison
{
    // One thread: sums are then made in one order, and the figures are the same on every machine of the same kind.
    private const int Threads = 1;

    /// <summary>The runtime and its version.</summary>
    public required string Runtime { get; init; }

    /// <summary>How the inputs were made; empty when none were found that the original runs with.</summary>
    public string Inputs { get; init; } = "";

    /// <summary>
    /// <c>‖y−ŷ‖₂/‖y‖₂</c> over all float outputs together, graph optimisation disabled for both. Infinite when a number that is not finite stands in
    /// one of them alone, or when y is zero and ŷ is not.
    /// </summary>
    public double RelativeUnoptimised { get; init; }

    /// <summary>The same, at the runtime's default optimisation level for both.</summary>
    public double RelativeDefault { get; init; }

    /// <summary>The greatest <c>|y−ŷ|</c> over all float outputs, graph optimisation disabled.</summary>
    public double MaxAbsoluteUnoptimised { get; init; }

    /// <summary>The root mean square of y over all float outputs: where it is near 0, a relative difference says little.</summary>
    public double OutputRms { get; init; }

    /// <summary>Why there are no figures, in the runtime's words; null when there are.</summary>
    public string? Problem { get; init; }

    /// <summary>
    /// Runs both models at both optimisation levels. Symbolic dimensions are filled in with one size after the other until the original runs. One model
    /// is in memory at a time. What can't be run is told in <see cref="Problem"/>, not thrown.
    /// </summary>
    /// <param name="library">The runtime.</param>
    /// <param name="originalPath">The original's file.</param>
    /// <param name="compressedPath">The other's file.</param>
    /// <param name="limits">By input's name: the number of rows of the table that it is looked up in.</param>
    /// <param name="seed">The seed of the inputs.</param>
    public static OutputComparison Compare(
        OnnxRuntimeLibrary library, string originalPath, string compressedPath, IReadOnlyDictionary<string, long> limits, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(library);
        var result = new OutputComparison { Runtime = $"ONNX Runtime {library.Version}" };
        var random = new RandomInputs(seed, limits);
        try
        {
            var (inputs, expected) = FindInputs(library, originalPath, random);
            result = result with { Inputs = random.Describe(inputs) };
            if (!expected.Values.Any(tensor => tensor.IsFloat))
            {
                return result with { Problem = "The model has no floating-point output to compare." };
            }

            var actual = Run(library, compressedPath, OptimisationLevel.Disabled, inputs, "result");
            double unoptimised = Difference(expected, actual);
            var (greatest, rms) = Scale(expected, actual);
            var expectedByDefault = Run(library, originalPath, OptimisationLevel.Default, inputs, "original");
            double byDefault = Difference(expectedByDefault, Run(library, compressedPath, OptimisationLevel.Default, inputs, "result"));
            return result with { RelativeUnoptimised = unoptimised, RelativeDefault = byDefault, MaxAbsoluteUnoptimised = greatest, OutputRms = rms };
        }
        catch (OnnxRuntimeException exception)
        {
            return result with { Problem = exception.Message };
        }
    }

    /// <summary><c>‖y−ŷ‖₂/‖y‖₂</c> over all float outputs together. O(elements).</summary>
    /// <param name="expected">y.</param>
    /// <param name="actual">ŷ, of the same names, types and shapes.</param>
    /// <returns>0 when all are equal; infinite as <see cref="RelativeUnoptimised"/> says.</returns>
    /// <exception cref="OnnxRuntimeException">An output is missing in ŷ, or of another type or shape.</exception>
    public static double Difference(IReadOnlyDictionary<string, RuntimeTensor> expected, IReadOnlyDictionary<string, RuntimeTensor> actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        double difference = 0;
        double norm = 0;
        foreach (var (name, y) in expected.Where(pair => pair.Value.IsFloat))
        {
            if (!actual.TryGetValue(name, out var other) || other.DType != y.DType || !other.Shape.Equals(y.Shape))
            {
                throw new OnnxRuntimeException(
                    $"Output '{name}' is {y.DType} {y.Shape} in the original and {(other is null ? "absent" : $"{other.DType} {other.Shape}")} in the result.");
            }

            for (int i = 0; i < y.Shape.ElementCount; i++)
            {
                double a = y.Float(i);
                double b = other.Float(i);
                if (double.IsFinite(a) && double.IsFinite(b))
                {
                    difference += (a - b) * (a - b);
                    norm += a * a;
                }
                else if (!a.Equals(b))
                {
                    return double.PositiveInfinity;
                }
            }
        }

        return difference == 0 ? 0 : Math.Sqrt(difference / norm);
    }

    /// <summary>The greatest <c>|y−ŷ|</c>, and the root mean square of y, over the finite numbers of outputs that were compared before.</summary>
    private static (double Greatest, double Rms) Scale(IReadOnlyDictionary<string, RuntimeTensor> expected, IReadOnlyDictionary<string, RuntimeTensor> actual)
    {
        double greatest = 0;
        double squares = 0;
        long count = 0;
        foreach (var (name, y) in expected.Where(pair => pair.Value.IsFloat))
        {
            for (int i = 0; i < y.Shape.ElementCount; i++)
            {
                double value = y.Float(i);
                if (double.IsFinite(value))
                {
                    greatest = Math.Max(greatest, Math.Abs(value - actual[name].Float(i)));
                    squares += value * value;
                    count++;
                }
            }
        }

        return (greatest, count > 0 ? Math.Sqrt(squares / count) : 0);
    }

    private static (IReadOnlyDictionary<string, RuntimeTensor> Inputs, IReadOnlyDictionary<string, RuntimeTensor> Outputs) FindInputs(
        OnnxRuntimeLibrary library, string path, RandomInputs random)
    {
        using var session = Open(library, path, OptimisationLevel.Disabled, "original");
        OnnxRuntimeException? first = null;
        foreach (var (batch, other) in RandomInputs.AnySymbolic(session.Inputs) ? RandomInputs.Trials : RandomInputs.Trials.Take(1))
        {
            try
            {
                var inputs = random.Create(session.Inputs, batch, other);
                return (inputs, session.Run(inputs));
            }
            catch (Exception exception) when (exception is OnnxRuntimeException or ArgumentException)
            {
                // The first refusal is the most telling one; later sizes are guesses.
                first ??= new OnnxRuntimeException($"The original could not be run with random inputs: {exception.Message}", exception);
            }
        }

        throw first!;
    }

    private static IReadOnlyDictionary<string, RuntimeTensor> Run(
        OnnxRuntimeLibrary library, string path, OptimisationLevel level, IReadOnlyDictionary<string, RuntimeTensor> inputs, string model)
    {
        using var session = Open(library, path, level, model);
        try
        {
            return session.Run(inputs);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new OnnxRuntimeException($"The {model} could not be run at optimisation level {level}: {exception.Message}", exception);
        }
    }

    private static OnnxRuntimeSession Open(OnnxRuntimeLibrary library, string path, OptimisationLevel level, string model)
    {
        try
        {
            return new OnnxRuntimeSession(library, path, level, Threads);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new OnnxRuntimeException($"The {model} could not be loaded at optimisation level {level}: {exception.Message}", exception);
        }
    }
}
