using Condense.Engine.Matrices;
using Condense.Engine.Methods;
using Condense.Engine.Structures;
using Condense.Execution.OnnxRuntime;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Condense.Pipeline.Reports;

namespace Condense.Pipeline.Stages;

/// <summary>Reads the written file back and measures what was lost, from its bytes.</summary>
internal sealed class Verification(LayerStore store, int threads)
{
    /// <summary>
    /// One layer: its tensors in the file equal those that were computed, bit for bit; then the errors of what they stand for. O(m·n) for quantized, O(m·n·r)
    /// for products; memory: the weight and the structure.
    /// </summary>
    /// <exception cref="VerificationException">The file holds something else.</exception>
    public (ErrorMeasure Error, FrequencyBands? Bands, double? Bound) Measure(
        LayerIntent intent, Candidate candidate, string key, StructuredLayer? written, LayerAnalyser analyser, LayerAnalysis analysis)
    {
        string name = intent.Layer.Name;
        var form = candidate.Form!;
        if (written is null || !written.Form.Equals(form))
        {
            throw new VerificationException($"The written file says that {name} is {written?.Form.ToString() ?? "not compressed"}; it was compressed to {form}.");
        }

        foreach (var slot in StructureTensors.Slots(form))
        {
            var computed = store.Load(key, LayerCompressor.TensorPrefix + slot.Suffix).Bytes.Span;
            var stored = written.Data(slot.Suffix);
            byte[] bytes = new byte[checked((int)stored.ByteLength)];
            stored.Read(0, bytes);
            if (!computed.SequenceEqual(bytes))
            {
                throw new VerificationException($"The bytes of {name}{slot.Suffix} in the written file differ from those that were computed.");
            }
        }

        var structure = StructureTensors.Read(form, written.Data);
        var weight = WeightReader.Read(intent.Layer);
        double[]? rowErrors = intent.Importance.RowWeights is null ? null : new double[weight.Rows];
        var error = ErrorMeasure.Measure(weight, structure, intent.Importance, threads, rowErrors);
        var bands = rowErrors is null ? null : FrequencyBands.Of(weight, intent.Importance, rowErrors);
        double? bound = candidate.Grouping is not null ? Math.Sqrt(BitConverter.ToDouble(store.Load(key, LayerCompressor.Bound).Bytes.Span))
            : form is ProductForm product && analysis.BasisKey is { } basisKey ? LowerBound(analyser.LoadSpectrum(basisKey), weight, product.Rank)
            : null;
        return (error, bands, bound);
    }

    /// <summary>Runs the original and the result side by side, where a runtime is at hand.</summary>
    /// <returns>The difference, or null with a warning.</returns>
    public static OutputDifference? Compare(
        Model original, ModelParts input, string outputPath, IEnumerable<Layer> layers, RunEnvironment environment, ulong seed, ICollection<ReportWarning> warnings)
    {
        if (original.Program is null)
        {
            warnings.Add(new ReportWarning("no_graph", "The format carries no graph: weights were compared, outputs were not."));
            return null;
        }

        if (environment.OnnxRuntimeLibrary is not { } path)
        {
            warnings.Add(new ReportWarning("outputs_not_compared", "ONNX Runtime's library was not given: weights were compared, outputs were not. Set CONDENSE_ONNXRUNTIME_LIBRARY to its path."));
            return null;
        }

        var limits = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var layer in layers.Where(layer => layer.Role == WeightRole.Embedding))
        {
            foreach (var use in layer.Consumers.Where(use => use.Node.Is("Gather") && use.Input == 0))
            {
                string ids = use.Node.Inputs[1];
                limits[ids] = Math.Min(limits.GetValueOrDefault(ids, long.MaxValue), layer.Rows);
            }
        }

        try
        {
            var library = OnnxRuntimeLibrary.Load(path);
            var comparison = OutputComparison.Compare(library, input.MainPath, outputPath, limits, seed);
            if (comparison.Problem is { } problem)
            {
                warnings.Add(new ReportWarning("outputs_not_compared", $"The models could not be run side by side in {comparison.Runtime}: {problem}"));
                return null;
            }

            NoteDifference(comparison, warnings);
            return new OutputDifference(
                comparison.Inputs, comparison.Runtime, comparison.RelativeUnoptimised, comparison.RelativeDefault, comparison.MaxAbsoluteUnoptimised, comparison.OutputRms);
        }
        catch (OnnxRuntimeException exception)
        {
            warnings.Add(new ReportWarning("outputs_not_compared", exception.Message));
            return null;
        }
    }

    /// <summary>Outputs whose root mean square is below this are noise themselves, as a detector's are where it sees nothing.</summary>
    private const double NearZero = 1e-3;

    /// <summary>A relative difference beyond this says that the outputs are others.</summary>
    private const double LargeDifference = 0.5;

    private static void NoteDifference(OutputComparison comparison, ICollection<ReportWarning> warnings)
    {
        if (comparison.OutputRms < NearZero)
        {
            warnings.Add(new ReportWarning(
                "outputs_near_zero",
                FormattableString.Invariant($"On random inputs the original's outputs are near 0 (root mean square {comparison.OutputRms:G3}): the relative difference says little. The greatest absolute difference is {comparison.MaxAbsoluteUnoptimised:G3}; compare both models on real inputs.")));
        }
        else if (comparison.RelativeDefault > LargeDifference)
        {
            warnings.Add(new ReportWarning(
                "large_output_difference",
                FormattableString.Invariant($"On random inputs the outputs differ by {comparison.RelativeDefault:G3} of their norm: check the model on real inputs, or ask for less.")));
        }
    }

    /// <summary>Relative Eckart–Young bound: <c>√(Σ_{j&gt;r} σ_j² ÷ Σ σ_j²)</c> in the norm that was minimised.</summary>
    private static double LowerBound((double[] SquaredValues, double Energy) spectrum, Matrix weight, int rank)
    {
        var (values, energy) = spectrum;
        bool whole = values.Length == Math.Min(weight.Rows, weight.Columns);
        double tail = whole ? values.Skip(rank).Reverse().Sum() : Math.Max(0, energy - values.Take(rank).Sum());
        return energy > 0 ? Math.Sqrt(tail / energy) : 0;
    }
}
