using Condense.Service.Problems;

namespace Condense.Service.Jobs;

/// <summary>What the result must keep to, so that a pipeline can gate on it. A job whose assertions fail has succeeded all the same: `assertions` of its document says which failed.</summary>
internal sealed record JobAssertions
{
    /// <summary>`ratio` is at least this.</summary>
    /// <example>8</example>
    public double? MinRatio { get; init; }

    /// <summary>`parameterRatio` is at least this.</summary>
    public double? MinParameterRatio { get; init; }

    /// <summary>`bytesAfter` is at most this.</summary>
    public double? MaxBytes { get; init; }

    /// <summary>`bitsPerWeight` is at most this.</summary>
    public double? MaxBitsPerWeight { get; init; }

    /// <summary>`relativeError` is at most this.</summary>
    /// <example>0.2</example>
    public double? MaxRelativeError { get; init; }

    /// <summary>`multiplyAddsAfter` ÷ `multiplyAddsBefore` is at most this.</summary>
    public double? MaxMultiplyAddsRatio { get; init; }

    /// <summary>Checks the numbers; offending ones go to the list.</summary>
    public void Check(List<FieldError> errors)
    {
        foreach (var (name, expected, _, _) in All(result: null))
        {
            if (!double.IsFinite(expected) || expected < 0)
            {
                errors.Add(new FieldError($"/assertions/{name}", "A finite number, at least 0, belongs here."));
            }
        }
    }

    /// <summary>Compares with what was measured.</summary>
    public IReadOnlyList<JobAssertion> Judge(JobResult result) => All(result);

    private List<JobAssertion> All(JobResult? result)
    {
        var all = new List<JobAssertion>();
        Add("minRatio", MinRatio, result?.Ratio, atLeast: true);
        Add("minParameterRatio", MinParameterRatio, result?.ParameterRatio, atLeast: true);
        Add("maxBytes", MaxBytes, result?.BytesAfter, atLeast: false);
        Add("maxBitsPerWeight", MaxBitsPerWeight, result?.BitsPerWeight, atLeast: false);
        Add("maxRelativeError", MaxRelativeError, result?.RelativeError, atLeast: false);
        Add("maxMultiplyAddsRatio", MaxMultiplyAddsRatio, MultiplyAddsRatio(result), atLeast: false);
        return all;

        void Add(string name, double? expected, double? actual, bool atLeast)
        {
            if (expected is { } bound)
            {
                double found = actual ?? 0;
                all.Add(new JobAssertion(name, bound, found, atLeast ? found >= bound : found <= bound));
            }
        }
    }

    /// <summary>A model without compressible weights multiplies nothing, before and after.</summary>
    private static double? MultiplyAddsRatio(JobResult? result) =>
        result is { MultiplyAddsBefore: > 0 } ? (double)result.MultiplyAddsAfter / result.MultiplyAddsBefore : result is null ? null : 1;
}

/// <summary>An assertion beside what was measured.</summary>
/// <param name="Name">Its name in the request.</param>
/// <param name="Expected">The bound.</param>
/// <param name="Actual">What was measured.</param>
/// <param name="Passed">Whether it holds.</param>
internal sealed record JobAssertion(string Name, double Expected, double Actual, bool Passed);

/// <summary>What a run may cost.</summary>
internal sealed record JobConstraints
{
    private const double LongestSeconds = 30 * 24 * 3600;

    /// <summary>Seconds from the first `startedAt`; beyond, the job fails with `max_seconds_exceeded`. A retry after a failure of ours begins no new count.</summary>
    /// <example>3600</example>
    public double? MaxSeconds { get; init; }

    /// <summary>Checks the numbers; offending ones go to the list.</summary>
    public void Check(List<FieldError> errors)
    {
        if (MaxSeconds is { } seconds && !(seconds is > 0 and <= LongestSeconds))
        {
            errors.Add(new FieldError("/constraints/maxSeconds", $"A number above 0 and at most {LongestSeconds:F0} belongs here."));
        }
    }
}
