using System.Collections.Immutable;
using System.Numerics.Tensors;
using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Rewriting;
using Condense.Models.Tensors;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;

namespace Condense.Pipeline.Stages;

/// <summary>The steps of a run that go layer by layer.</summary>
internal sealed class RunSteps(PlannedWork work, LayerStore store, LayerAnalyser analyser, RunProgress watch, int threads)
{
    /// <summary>Compressed layers that an earlier run had finished.</summary>
    public int ReusedLayers { get; private set; }

    /// <summary>Measures the candidates and chooses one per layer.</summary>
    public async Task<RunPlan> PlanAsync(CancellationToken cancellationToken)
    {
        int count = work.Intents.Length;
        if (work.IsHopeless)
        {
            watch.Begin(Stage.Planning, 0);
            return new RunPlan([.. Enumerable.Repeat(Candidate.Keep, count)], [.. new LayerAnalysis?[count]]);
        }

        watch.Begin(Stage.Analysing, count);
        var analyses = ImmutableArray.CreateBuilder<LayerAnalysis?>(count);
        var problems = new List<RecipeProblem>();
        int reused = 0;
        for (int i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LayerAnalysis? analysis = null;
            if (work.Candidates[i].Any(candidate => candidate.Form is not null))
            {
                (analysis, bool wasReused) = await analyser.AnalyseAsync(work.Intents[i], work.Candidates[i], cancellationToken);
                CheckApplicable(work.Intents[i], analysis, problems);
                reused += wasReused ? 1 : 0;
            }

            analyses.Add(analysis);
            watch.Report(i + 1, count, reused, $"Analysed {work.Intents[i].Layer.Name}");
        }

        RecipeProblem.ThrowIfAny(problems);
        watch.Begin(Stage.Planning, 0);
        var candidates = analyses.Select((analysis, index) => analysis?.Candidates ?? work.Candidates[index]).ToArray();
        if (work.Size is not { } size)
        {
            return new RunPlan([.. candidates.Select(ladder => ladder[0])], analyses.MoveToImmutable());
        }

        var losses = analyses.Select((analysis, index) => analysis?.Losses ?? [.. work.Candidates[index].Select(_ => 0.0)]).ToArray();
        return new RunPlan(CompressionPlanner.Solve(size, candidates, losses), analyses.MoveToImmutable());
    }

    /// <summary>Makes every structure of the plan.</summary>
    /// <returns>The plan with the forms that came out, and per layer the store's piece; null where the layer is kept.</returns>
    public async Task<(RunPlan Plan, string?[] Pieces)> CompressAsync(RunPlan plan, LayerCompressor compressor, CancellationToken cancellationToken)
    {
        int count = plan.Candidates.Length;
        watch.Begin(Stage.Compressing, count);
        string?[] pieces = new string?[count];
        var made = plan.Candidates.ToArray();
        for (int i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (plan.Candidates[i].Form is not null)
            {
                var piece = await compressor.CompressAsync(work.Intents[i], plan.Candidates[i], plan.Analyses[i]!, cancellationToken);
                (pieces[i], made[i]) = (piece.Key, plan.Candidates[i] with { Form = piece.Form });
                ReusedLayers += piece.Reused ? 1 : 0;
            }

            watch.Report(i + 1, count, ReusedLayers, $"{plan.Candidates[i].Method} {work.Intents[i].Layer.Name}");
        }

        // Refined blocks take no more bits than planned, but sizes of blocks with more digits may take more characters in the file.
        if (work.Size is { } size && size.Measure(made) > size.Limit)
        {
            for (int i = 0; i < count; i++)
            {
                if (plan.Candidates[i] is { Grouping: { Rounds: > 0 } grouping } refined)
                {
                    made[i] = refined with { Grouping = grouping with { Rounds = 0 } };
                    var piece = await compressor.CompressAsync(work.Intents[i], made[i], plan.Analyses[i]!, cancellationToken);
                    (pieces[i], made[i]) = (piece.Key, made[i] with { Form = piece.Form });
                }
            }
        }

        return (plan with { Candidates = [.. made] }, pieces);
    }

    /// <summary>Reads the file back and reports every compressible layer.</summary>
    public IReadOnlyList<MeasuredLayer> Verify(RunPlan plan, string?[] pieces, string path, CancellationToken cancellationToken)
    {
        using var written = ModelReader.Open(ModelParts.Beside(path), ReadLimits.Default);
        var structured = ModelRewriter.FindStructured(written).ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        var verification = new Verification(store, threads);
        var measured = new List<MeasuredLayer>();
        for (int i = 0; i < plan.Candidates.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var intent = work.Intents[i];
            if (SizeModel.IsCompressible(intent))
            {
                var layer = pieces[i] is { } key
                    ? Measure(intent, plan.Candidates[i], plan.Analyses[i]!, key, structured.GetValueOrDefault(intent.Layer.Name), verification)
                    : MeasureKept(intent);
                measured.Add(layer with { Spectrum = SpectrumOf(plan.Analyses[i], layer.Candidate) });
            }

            watch.Report(i + 1, plan.Candidates.Length, 0, $"Verified {intent.Layer.Name}");
        }

        return measured;
    }

    /// <summary>A rule may ask for what the values of a weight do not allow: f16 beyond its range, factors beyond f32's.</summary>
    private static void CheckApplicable(LayerIntent intent, LayerAnalysis analysis, List<RecipeProblem> problems)
    {
        if (analysis.Losses.All(double.IsPositiveInfinity))
        {
            string detail = $"{intent.Layer.Name} holds values beyond the range of {analysis.Candidates[0].Method} as it is set. Choose another method for it, or keep it.";
            problems.Add(new RecipeProblem($"{intent.RulePointer}/method", detail, RecipeProblem.IncompatibleMethod));
        }
    }

    /// <summary>A kept layer loses nothing, but its norm counts in the whole model's error.</summary>
    private static MeasuredLayer MeasureKept(LayerIntent intent)
    {
        var weight = WeightReader.Read(intent.Layer);
        double norm = 0;
        for (int row = 0; row < weight.Rows; row++)
        {
            norm += TensorPrimitives.SumOfSquares<float>(weight.Row(row));
        }

        return new MeasuredLayer(intent, Candidate.Keep, Error: null, Bands: null, Bound: null, norm);
    }

    private LayerSpectrum? SpectrumOf(LayerAnalysis? analysis, Candidate candidate)
    {
        if (analysis?.BasisKey is not { } key)
        {
            return null;
        }

        var (squaredValues, energy) = analyser.LoadSpectrum(key);
        return LayerSpectrum.Of(squaredValues, energy, (candidate.Form as ProductForm)?.Rank);
    }

    private MeasuredLayer Measure(LayerIntent intent, Candidate candidate, LayerAnalysis analysis, string key, StructuredLayer? written, Verification verification)
    {
        var (error, bands, bound) = verification.Measure(intent, candidate, key, written, analyser, analysis);
        return new MeasuredLayer(intent, candidate, error, bands, bound, error.SquaredNorm);
    }
}
