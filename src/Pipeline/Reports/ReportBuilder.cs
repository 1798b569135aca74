using Condense.Engine.Methods;
using Condense.Engine.Structures;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Stages;

namespace Condense.Pipeline.Reports;

/// <summary>Adds up what was measured.</summary>
internal static class ReportBuilder
{
    /// <summary>Makes the report of a run. O(layers).</summary>
    public static CompressionReport Build(
        PlannedWork work,
        CompressionRecipe recipe,
        IReadOnlyList<MeasuredLayer> measured,
        long bytesAfter,
        string digestBefore,
        string digestAfter,
        bool worthwhile,
        OutputDifference? difference,
        List<ReportWarning> warnings,
        IReadOnlyDictionary<string, double> secondsByStage,
        int reusedLayers,
        int threads)
    {
        long parametersBefore = measured.Sum(layer => layer.Intent.ElementCount);
        long parametersAfter = measured.Sum(layer => Kept(layer, worthwhile) ? layer.Intent.ElementCount : layer.Candidate.Form!.ParameterCount);
        long bitsAfter = measured.Sum(layer => Kept(layer, worthwhile) ? layer.Intent.Layer.StoredBytes * 8 : layer.Candidate.Form!.StorageBits);
        long multiplyAddsAfter = measured.Sum(layer => Kept(layer, worthwhile) ? layer.Intent.ElementCount : layer.Candidate.Form!.MultiplyAddsPerColumn);
        AddWarnings(measured, worthwhile, warnings);
        return new CompressionReport
        {
            Outcome = worthwhile || IsMetByOriginal(recipe) ? Outcome.MetTarget : Outcome.NotWorthwhile,
            FormatBefore = work.FormatBefore,
            Format = work.Model.Format,
            Target = recipe.Target,
            Seed = recipe.Seed,
            BytesBefore = work.BytesBefore,
            BytesAfter = bytesAfter,
            Ratio = (double)work.BytesBefore / bytesAfter,
            ParametersBefore = parametersBefore,
            ParametersAfter = parametersAfter,
            ParameterRatio = parametersAfter == 0 ? 1 : (double)parametersBefore / parametersAfter,
            BitsPerWeight = parametersBefore == 0 ? 0 : (double)bitsAfter / parametersBefore,
            MultiplyAddsBefore = parametersBefore,
            MultiplyAddsAfter = multiplyAddsAfter,
            RelativeError = RelativeError(measured),
            DigestBefore = digestBefore,
            DigestAfter = digestAfter,
            Layers = [.. measured.Select(layer => Describe(layer, worthwhile))],
            OutputDifference = difference,
            Warnings = warnings,
            SecondsByStage = secondsByStage,
            ReusedLayers = reusedLayers,
            Engine = EngineIdentity.Describe(threads),
        };
    }

    private static bool Kept(MeasuredLayer layer, bool worthwhile) => !worthwhile || layer.Candidate.Form is null;

    private static bool IsMetByOriginal(CompressionRecipe recipe) => recipe.Target is { Kind: TargetKind.Ratio or TargetKind.ParameterRatio, Value: 1 };

    /// <summary><c>√(Σ‖W−Ŵ‖² ÷ Σ‖W‖²)</c>; kept layers add to the norm alone.</summary>
    private static double RelativeError(IReadOnlyList<MeasuredLayer> measured)
    {
        double error = measured.Sum(layer => layer.Error?.SquaredError ?? 0);
        double norm = measured.Sum(layer => layer.SquaredNorm);
        return norm > 0 ? Math.Sqrt(error / norm) : 0;
    }

    private static LayerReport Describe(MeasuredLayer layer, bool worthwhile)
    {
        var source = layer.Intent.Layer;
        bool kept = Kept(layer, worthwhile);
        return new LayerReport
        {
            Name = source.Name,
            Role = source.Role,
            Rows = source.Rows,
            Columns = source.Columns,
            Method = kept ? MethodNames.Keep : layer.Candidate.Method,
            Form = kept ? null : layer.Candidate.Form,
            BytesBefore = source.StoredBytes,
            BytesAfter = kept ? source.StoredBytes : layer.Candidate.Form!.StorageBits / 8,
            RelativeError = layer.Error?.RelativeError ?? 0,
            WeightedRelativeError = layer.Intent.Importance.RowWeights is null ? null : layer.Error?.WeightedRelativeError ?? 0,
            HeadError = Band(layer, bands => bands.Head),
            MidError = Band(layer, bands => bands.Mid),
            TailError = Band(layer, bands => bands.Tail),
            Bound = kept ? null : layer.Bound,
            MultiplyAdds = kept ? layer.Intent.ElementCount : layer.Candidate.Form!.MultiplyAddsPerColumn,
            Spectrum = layer.Spectrum,
        };
    }

    private static double? Band(MeasuredLayer layer, Func<FrequencyBands, double> band) =>
        layer.Intent.Importance.RowWeights is null ? null : layer.Bands is { } bands ? band(bands) : 0;

    private static void AddWarnings(IReadOnlyList<MeasuredLayer> measured, bool worthwhile, List<ReportWarning> warnings)
    {
        if (!worthwhile)
        {
            return;
        }

        if (measured.Any(layer => layer.Candidate is { Form: QuantizedForm or DenseForm } or { Form: RowPartitionForm, Grouping: null }))
        {
            warnings.Add(new ReportWarning("smaller_not_faster", "Layers stored in 16 bits or fewer are widened before they are used: fewer bytes, not fewer operations. Only low rank saves operations."));
        }

        foreach (var layer in measured)
        {
            if (layer.Candidate.Form is QuantizedForm { IsPacked: false, CodeBits: var bits and < QuantizedForm.ByteBits })
            {
                warnings.Add(new ReportWarning("widened_codes", FormattableString.Invariant($"The graph can't read packed codes of {bits} bits here: each takes a byte, as a code of 8 bits does, which would be more exact."), layer.Intent.Layer.Name));
            }
        }

        foreach (var layer in measured.Where(layer => layer.Error is { RelativeError: > LargeError }))
        {
            warnings.Add(new ReportWarning("large_error", FormattableString.Invariant($"The relative error is {layer.Error!.RelativeError:G3}: check the model's quality, or ask for less."), layer.Intent.Layer.Name));
        }
    }

    /// <summary>A layer that has lost this share of its norm rarely does its work any more.</summary>
    private const double LargeError = 0.5;
}
