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
internal sealed class RunSteps(PlannedWork work, LayerStore store, LayerAnalyser analyser, RunProgress watch, RunEnvironment environment)
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
        var analyses = new LayerAnalysis?[count];
        int reused = 0;
        var missing = new List<SharedLayer>();
        for (int i = 0; i < count; i++)
        {
            Halt(cancellationToken);
            if (!IsTouched(i))
            {
                continue;
            }

            analyses[i] = await analyser.FindAsync(work.Intents[i], work.Candidates[i], cancellationToken);
            if (analyses[i] is null)
            {
                missing.Add(new SharedLayer(i, LayerCost.OfAnalysis(work.Intents[i], work.Candidates[i])));
            }
            else
            {
                reused++;
            }
        }

        await MakeAsync(Stage.Analysing, missing, reused, AnalyseAsync, i => $"Analysed {work.Intents[i].Layer.Name}", cancellationToken);
        return Choose(analyses);

        async Task AnalyseAsync(int i) => (analyses[i], _) = await analyser.AnalyseAsync(work.Intents[i], work.Candidates[i], cancellationToken);
    }

    /// <summary>The plan of a run whose analyses are all in the store; null where they are not.</summary>
    public async Task<RunPlan?> FindPlanAsync(CancellationToken cancellationToken)
    {
        watch.Begin(Stage.Analysing, work.Intents.Length);
        var analyses = new LayerAnalysis?[work.Intents.Length];
        for (int i = 0; i < analyses.Length; i++)
        {
            Halt(cancellationToken);
            if (IsTouched(i) && (analyses[i] = await analyser.FindAsync(work.Intents[i], work.Candidates[i], cancellationToken)) is null)
            {
                return null;
            }
        }

        return Choose(analyses);
    }

    /// <summary>Works on shared layers of a stage until there are none left.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="exchange">Where the layers are taken from.</param>
    /// <param name="make">Does the work on one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task TakeAllAsync(Stage stage, IPieceExchange exchange, Func<int, Task> make, CancellationToken cancellationToken)
    {
        Halt(cancellationToken);
        while (await exchange.TakeAsync(stage, cancellationToken) is { } layer)
        {
            await make(layer);
            await exchange.FinishAsync(stage, layer, cancellationToken);
            Halt(cancellationToken);
        }
    }

    /// <summary>Makes every structure of the plan.</summary>
    /// <returns>The plan with the forms that came out, and per layer the store's piece; null where the layer is kept.</returns>
    public async Task<(RunPlan Plan, string?[] Pieces)> CompressAsync(RunPlan plan, LayerCompressor compressor, CancellationToken cancellationToken)
    {
        int count = plan.Candidates.Length;
        watch.Begin(Stage.Compressing, count);
        string?[] pieces = new string?[count];
        var made = plan.Candidates.ToArray();
        var missing = new List<SharedLayer>();
        for (int i = 0; i < count; i++)
        {
            Halt(cancellationToken);
            if (plan.Candidates[i].Form is null)
            {
                continue;
            }

            if (await compressor.FindAsync(work.Intents[i], plan.Candidates[i], plan.Analyses[i]!, cancellationToken) is { } piece)
            {
                Note(i, piece);
                ReusedLayers++;
            }
            else
            {
                missing.Add(new SharedLayer(i, LayerCost.OfCompression(work.Intents[i], plan.Candidates[i])));
            }
        }

        await MakeAsync(
            Stage.Compressing,
            missing,
            ReusedLayers,
            async i => Note(i, await compressor.CompressAsync(work.Intents[i], plan.Candidates[i], plan.Analyses[i]!, cancellationToken)),
            i => $"{plan.Candidates[i].Method} {work.Intents[i].Layer.Name}",
            cancellationToken);

        void Note(int i, CompressedPiece piece) => (pieces[i], made[i]) = (piece.Key, plan.Candidates[i] with { Form = piece.Form });

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
        var verification = new Verification(store, environment.Threads);
        var measured = new List<MeasuredLayer>();
        for (int i = 0; i < plan.Candidates.Length; i++)
        {
            Halt(cancellationToken);
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

    /// <summary>Does what is missing of a stage: together with others where that pays, then in order whatever nobody has done.</summary>
    private async Task MakeAsync(
        Stage stage, List<SharedLayer> missing, int reused, Func<int, Task> make, Func<int, string> message, CancellationToken cancellationToken)
    {
        int count = work.Intents.Length;
        int others = count - missing.Count;
        int done = 0;
        var waiting = missing.Select(layer => layer.Layer).ToHashSet();
        if (environment.Exchange is { } exchange && LayerCost.IsWorthSharing(missing))
        {
            await exchange.ShareAsync(stage, missing, cancellationToken);
            await TakeAllAsync(
                stage,
                exchange,
                async i =>
                {
                    await make(i);
                    waiting.Remove(i);
                    watch.Report(others + ++done, count, reused, message(i));
                },
                cancellationToken);
        }

        for (int i = 0; i < count; i++)
        {
            Halt(cancellationToken);
            if (waiting.Contains(i))
            {
                await make(i);
            }

            watch.Report(Math.Max(i + 1, others + done), count, reused, message(i));
        }
    }

    /// <summary>Chooses, once everything is measured.</summary>
    private RunPlan Choose(LayerAnalysis?[] analyses)
    {
        var problems = new List<RecipeProblem>();
        for (int i = 0; i < analyses.Length; i++)
        {
            if (analyses[i] is { } analysis)
            {
                CheckApplicable(work.Intents[i], analysis, problems);
            }
        }

        RecipeProblem.ThrowIfAny(problems);
        watch.Begin(Stage.Planning, 0);
        var candidates = analyses.Select((analysis, index) => analysis?.Candidates ?? work.Candidates[index]).ToArray();
        if (work.Size is not { } size)
        {
            return new RunPlan([.. candidates.Select(ladder => ladder[0])], [.. analyses]);
        }

        var losses = analyses.Select((analysis, index) => analysis?.Losses ?? [.. work.Candidates[index].Select(_ => 0.0)]).ToArray();
        return new RunPlan(CompressionPlanner.Solve(size, candidates, losses), [.. analyses]);
    }

    private bool IsTouched(int layer) => work.Candidates[layer].Any(candidate => candidate.Form is not null);

    /// <summary>Between two layers a run may be cancelled, and may be drained.</summary>
    private void Halt(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        environment.Drain.ThrowIfCancellationRequested();
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
