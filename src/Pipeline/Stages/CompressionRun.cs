using Condense.Models;
using Condense.Models.Rewriting;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;

namespace Condense.Pipeline.Stages;

/// <summary>One run from file to file: load, analyse, plan, compress, package, verify.</summary>
public static class CompressionRun
{
    /// <summary>
    /// Judges a request by the model's structure alone, before any work: names, settings, and whether the target can be met at all. O(nodes + tensors + ranks);
    /// reads no weight.
    /// </summary>
    /// <param name="input">The model's files.</param>
    /// <param name="outputFormat">The format asked for.</param>
    /// <param name="recipe">What is asked.</param>
    /// <returns>Bytes of memory that the run is likely to need.</returns>
    /// <exception cref="ModelFormatException">The model can't be read, or has an operator that can't be raised to the opset asked for.</exception>
    /// <exception cref="RecipeException">The request can't be met.</exception>
    public static long Check(ModelParts input, ModelFormat outputFormat, CompressionRecipe recipe)
    {
        using var model = ModelReader.Open(input, ReadLimits.Default);
        var work = PlannedWork.Prepare(model, input, outputFormat, recipe, smallestOnly: true);
        if (work.Size is { } size && !work.IsHopeless)
        {
            CompressionPlanner.CheckFeasible(size, work.Candidates, losses: null);
        }

        return MemoryForecast.Of(work);
    }

    /// <summary>Compresses a model.</summary>
    /// <param name="input">The model's files.</param>
    /// <param name="outputPath">The file to make. It appears only when it is whole and verified: written beside, then renamed.</param>
    /// <param name="outputFormat">Its format, one of <see cref="OutputFormats.Of"/> the model's.</param>
    /// <param name="recipe">What is asked.</param>
    /// <param name="environment">What the host gives.</param>
    /// <param name="progress">Told of stages and layers; may be null.</param>
    /// <param name="cancellationToken">Stops within one layer; nothing is left at the output's path.</param>
    /// <returns>The measured proof.</returns>
    /// <exception cref="ModelFormatException">The model can't be read, or has an operator that can't be raised to the opset asked for.</exception>
    /// <exception cref="RecipeException">The request can't be met.</exception>
    /// <exception cref="VerificationException">The written file does not hold what was computed.</exception>
    /// <exception cref="IOException">The disk failed or is full; nothing is left at the output's path.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<CompressionReport> RunAsync(
        ModelParts input,
        string outputPath,
        ModelFormat outputFormat,
        CompressionRecipe recipe,
        RunEnvironment environment,
        IProgress<StageProgress>? progress,
        CancellationToken cancellationToken)
    {
        var watch = new RunProgress(environment.Clock, progress);
        watch.Begin(Stage.Loading, 0);
        using var original = ModelReader.Open(input, ReadLimits.Default);
        var work = PlannedWork.Prepare(original, input, outputFormat, recipe);
        var model = work.Model;
        FiniteWeights.Check(work.Touched.Select(intent => intent.Layer.Tensor), cancellationToken);
        string digestBefore = await TensorDigest.OfFileAsync(input.MainPath, cancellationToken);

        var store = new LayerStore(environment.WorkDirectory, environment.Exchange);
        var analyser = new LayerAnalyser(store, recipe.Seed, environment.Threads);
        var steps = new RunSteps(work, store, analyser, watch, environment);
        var plan = await steps.PlanAsync(cancellationToken);
        (plan, string?[] pieces) = await steps.CompressAsync(plan, new LayerCompressor(store, analyser, recipe.Seed, environment.Threads), cancellationToken);

        watch.Begin(Stage.Packaging, 0);
        await using var staging = new StagedOutput(outputPath);
        var layers = plan.Candidates
            .Select((candidate, index) => (candidate, index))
            .Where(pair => pair.candidate.Form is not null)
            .Select(pair => new CompressedLayer(
                work.Intents[pair.index].Layer,
                pair.candidate.Form!,
                suffix => store.Load(pieces[pair.index]!, LayerCompressor.TensorPrefix + suffix),
                pair.candidate.Method))
            .ToArray();
        bool worthwhile = layers.Length > 0 && await WriteAsync(model, layers, staging, work.BytesBefore, recipe.Target is null, cancellationToken);
        if (!worthwhile)
        {
            await staging.CopyAsync(work.Converts ? model : original, input, work.Converts, cancellationToken);
        }

        watch.Begin(Stage.Verifying, plan.Candidates.Length);
        var warnings = new List<ReportWarning>(work.Warnings);
        var reports = steps.Verify(plan, worthwhile ? pieces : new string?[plan.Candidates.Length], staging.MainPath, cancellationToken);
        NoteOutcome(work, plan, recipe, original, worthwhile, warnings);
        var difference = worthwhile
            ? Verification.Compare(original, input, staging.MainPath, work.Intents.Select(intent => intent.Layer), environment, recipe.Seed, warnings)
            : null;

        string digestAfter = await TensorDigest.OfFileAsync(staging.MainPath, cancellationToken);
        long bytesAfter = staging.Bytes;
        watch.End();
        var report = ReportBuilder.Build(work, recipe, reports, bytesAfter, digestBefore, digestAfter, worthwhile, difference, warnings, watch.SecondsByStage, steps.ReusedLayers, environment.Threads);
        staging.Publish();
        return report with { OpsetBefore = original.Program?.Opset, OpsetAfter = (worthwhile ? model : original).Program?.Opset };
    }

    /// <summary>Works on the layers that a run of the same model and recipe shares, until there are none left. Makes the very pieces that the run would.</summary>
    /// <param name="input">The model's files.</param>
    /// <param name="outputFormat">The format asked for.</param>
    /// <param name="recipe">What is asked.</param>
    /// <param name="environment">What the host gives, with an exchange.</param>
    /// <param name="stage">The stage whose layers are shared: analysing or compressing.</param>
    /// <param name="cancellationToken">Stops within one layer.</param>
    /// <exception cref="ModelFormatException">The model can't be read.</exception>
    /// <exception cref="RecipeException">The request can't be met.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the work is drained.</exception>
    public static async Task AssistAsync(
        ModelParts input, ModelFormat outputFormat, CompressionRecipe recipe, RunEnvironment environment, Stage stage, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var exchange = environment.Exchange ?? throw new ArgumentException("Without an exchange there is nothing to assist with.", nameof(environment));
        using var original = ModelReader.Open(input, ReadLimits.Default);
        var work = PlannedWork.Prepare(original, input, outputFormat, recipe);
        var store = new LayerStore(environment.WorkDirectory, exchange);
        var analyser = new LayerAnalyser(store, recipe.Seed, environment.Threads);
        var steps = new RunSteps(work, store, analyser, new RunProgress(environment.Clock, listener: null), environment);
        if (stage == Stage.Analysing)
        {
            await steps.TakeAllAsync(stage, exchange, i => analyser.AnalyseAsync(work.Intents[i], work.Candidates[i], cancellationToken), cancellationToken);
        }
        else if (await steps.FindPlanAsync(cancellationToken) is { } plan)
        {
            var compressor = new LayerCompressor(store, analyser, recipe.Seed, environment.Threads);
            await steps.TakeAllAsync(
                stage, exchange, i => compressor.CompressAsync(work.Intents[i], plan.Candidates[i], plan.Analyses[i]!, cancellationToken), cancellationToken);
        }
    }

    /// <summary>A result at least this share of what the target allows is as close as anybody asks.</summary>
    private const double CloseToTarget = 0.99;

    /// <summary>Says where the result is not quite what was asked for.</summary>
    private static void NoteOutcome(PlannedWork work, RunPlan plan, CompressionRecipe recipe, Model original, bool worthwhile, List<ReportWarning> warnings)
    {
        if (!worthwhile && recipe.Target is { } target)
        {
            warnings.Add(target is { Kind: TargetKind.Ratio, Value: 1 }
                ? new ReportWarning("target_already_met", "The original meets the target as it is: it was kept.")
                : new ReportWarning("not_worthwhile", "Nothing that the methods and layers allow makes the model smaller: its weights were kept as they are, and the target was missed."));
        }

        if (!worthwhile && work.Model.Program?.Opset != original.Program?.Opset)
        {
            warnings.Add(new ReportWarning("opset_not_raised", "The original was kept as it is, and so was its opset."));
        }

        if (worthwhile && work.Size is { } size && size.Measure(plan.Candidates) is var reached && reached < CloseToTarget * size.Limit)
        {
            warnings.Add(new ReportWarning(
                "target_overshot",
                FormattableString.Invariant($"The result is smaller than asked: it meets {size.TargetMetBy(reached).Value:G4}. The layers and methods allowed leave nothing between that and the target.")));
        }
    }

    /// <summary>Writes the result unless it would not be smaller than the original; without a target the caller has asked for it all the same.</summary>
    private static async Task<bool> WriteAsync(
        Model model, CompressedLayer[] layers, StagedOutput staging, long bytesBefore, bool evenIfLarger, CancellationToken cancellationToken)
    {
        using var rewritten = ModelRewriter.Rewrite(model, layers);
        if (!evenIfLarger && ModelWriter.Measure(rewritten) >= bytesBefore)
        {
            return false;
        }

        staging.Wrote(await ModelWriter.WriteAsync(rewritten, staging.MainPath, cancellationToken));
        return true;
    }
}
