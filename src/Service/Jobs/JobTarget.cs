using Condense.Pipeline.Recipes;
using Condense.Service.Problems;

namespace Condense.Service.Jobs;

/// <summary>How small the model must become: exactly one of the fields.</summary>
internal sealed record JobTarget
{
    /// <summary>Whole-file bytes before ÷ whole-file bytes after, graph included: at least this. Finite, at least 1.</summary>
    /// <example>3.5</example>
    public double? Ratio { get; init; }

    /// <summary>Whole-file bytes after: at most this.</summary>
    public long? Bytes { get; init; }

    /// <summary>Numbers of all compressible weights before ÷ numbers stored for them after, as papers count: at least this.</summary>
    public double? ParameterRatio { get; init; }

    /// <summary>All stored bits ÷ weights, over the compressible weights: at most this.</summary>
    public double? BitsPerWeight { get; init; }

    /// <summary>The document of a target.</summary>
    public static JobTarget Of(CompressionTarget target) => target.Kind switch
    {
        TargetKind.Ratio => new JobTarget { Ratio = target.Value },
        TargetKind.Bytes => new JobTarget { Bytes = (long)target.Value },
        TargetKind.ParameterRatio => new JobTarget { ParameterRatio = target.Value },
        _ => new JobTarget { BitsPerWeight = target.Value },
    };

    /// <summary>The target of the document; offending fields go to the list.</summary>
    public CompressionTarget? ToTarget(List<FieldError> errors)
    {
        CompressionTarget[] given =
        [
            .. Given(TargetKind.Ratio, Ratio), .. Given(TargetKind.Bytes, Bytes),
            .. Given(TargetKind.ParameterRatio, ParameterRatio), .. Given(TargetKind.BitsPerWeight, BitsPerWeight),
        ];
        if (given is not [var target])
        {
            errors.Add(new FieldError("/target", $"Exactly one of ratio, bytes, parameterRatio and bitsPerWeight belongs here; there are {given.Length}."));
            return null;
        }

        double least = target.Kind is TargetKind.Ratio or TargetKind.ParameterRatio or TargetKind.Bytes ? 1 : double.Epsilon;
        if (!double.IsFinite(target.Value) || target.Value < least)
        {
            string name = char.ToLowerInvariant(target.Kind.ToString()[0]) + target.Kind.ToString()[1..];
            errors.Add(new FieldError($"/target/{name}", $"A finite number, {(least < 1 ? "above 0" : "at least 1")}, belongs here."));
        }

        return target;
    }

    private static IEnumerable<CompressionTarget> Given(TargetKind kind, double? value) => value is { } number ? [new CompressionTarget(kind, number)] : [];
}
