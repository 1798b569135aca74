using System.Collections.Immutable;
using Condense.Engine.Structures;
using Condense.Models;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;
using Condense.Pipeline.Reports;

namespace Condense.Pipeline.Stages;

/// <summary>A request resolved against a model: what may be done with each layer, by structure alone.</summary>
internal sealed record PlannedWork
{
    /// <summary>Every layer and what the recipe allows for it.</summary>
    public required ImmutableArray<LayerIntent> Intents { get; init; }

    /// <summary>The candidates of each layer, in the same order.</summary>
    public required ImmutableArray<ImmutableArray<Candidate>> Candidates { get; init; }

    /// <summary>Counts and limit; null without a target.</summary>
    public required SizeModel? Size { get; init; }

    /// <summary>The model to rewrite: the one given, in the opset asked for, or the same tensors for the format asked for.</summary>
    public required Model Model { get; init; }

    /// <summary>The format of the original.</summary>
    public required ModelFormat FormatBefore { get; init; }

    /// <summary>Whether the result has another format than the original.</summary>
    public bool Converts => Model.Format != FormatBefore;

    /// <summary>Bytes of all the original's files.</summary>
    public required long BytesBefore { get; init; }

    /// <summary>Layers that something may be done with.</summary>
    public IEnumerable<LayerIntent> Touched => Intents.Where((_, index) => Candidates[index].Any(candidate => candidate.Form is not null));

    /// <summary>Said already while preparing.</summary>
    public required ImmutableArray<ReportWarning> Warnings { get; init; }

    /// <summary>Whether not even the smallest plan is smaller than the original: the original is kept, whatever the target.</summary>
    public required bool IsHopeless { get; init; }

    /// <summary>Resolves and checks a recipe.</summary>
    /// <exception cref="RecipeException">The recipe and the model do not fit.</exception>
    /// <exception cref="ModelFormatException">An operator has no form in the opset asked for.</exception>
    /// <param name="model">The model.</param>
    /// <param name="input">Its files.</param>
    /// <param name="outputFormat">The format asked for.</param>
    /// <param name="recipe">What is asked.</param>
    /// <param name="smallestOnly">Whether only feasibility is wanted: then each ladder holds the least of each kind of form.</param>
    public static PlannedWork Prepare(Model model, ModelParts input, ModelFormat outputFormat, CompressionRecipe recipe, bool smallestOnly = false)
    {
        var problems = new List<RecipeProblem>();
        OutputFormats.Check(model, outputFormat, problems);
        model = OpsetChoice.Apply(model, recipe, problems);
        var intents = RecipeResolution.Resolve(LayerFinder.Find(model), model.Tensors.Select(tensor => tensor.Name), recipe, problems);
        bool withTarget = recipe.Target is not null;
        var candidates = intents.Select(intent => CandidateLadder.Build(model, intent, withTarget, smallestOnly || problems.Count > 0)).ToImmutableArray();
        CheckRules(intents, candidates, problems);
        RecipeProblem.ThrowIfAny(problems);

        var formatBefore = model.Format;
        long bytes = ModelBytes.Of(model, input);
        model = outputFormat == formatBefore ? model : model.WithFormat(outputFormat);
        long bytesKept = outputFormat == formatBefore ? bytes : ModelWriter.Measure(model);
        var overheads = new FileOverheads(model, intents, candidates);
        var size = recipe.Target is { } target ? new SizeModel(overheads, intents, target, bytes, bytesKept) : null;
        var warnings = WarningsOf(recipe, intents, candidates, formatBefore, outputFormat);
        if (!smallestOnly && size is not null && WithoutLargeProducts(intents, candidates) is { } cheaper && size.Measure(CompressionPlanner.Smallest(size, cheaper, losses: null)) <= size.Limit)
        {
            candidates = cheaper;
            warnings = [.. warnings, new ReportWarning("low_rank_not_tried", "The target is within reach of formats alone, and layers with both sides above 1,500 take long to factorize: low rank was tried on the smaller ones only. Name it in a layer rule to have it tried.")];
        }

        return new PlannedWork
        {
            Warnings = warnings,
            Intents = intents,
            Model = model,
            FormatBefore = formatBefore,
            Candidates = candidates,
            Size = size,
            BytesBefore = bytes,
            IsHopeless = withTarget && Hopeless(overheads, intents, candidates, bytes, bytesKept),
        };
    }

    /// <summary>The candidates without products of large layers that no rule names; null when there are none, or when nothing else would be left to do.</summary>
    private static ImmutableArray<ImmutableArray<Candidate>>? WithoutLargeProducts(ImmutableArray<LayerIntent> intents, ImmutableArray<ImmutableArray<Candidate>> candidates)
    {
        var kept = candidates
            .Select((ladder, index) => IsLarge(intents[index]) ? ladder.RemoveAll(candidate => candidate.Form is ProductForm || candidate.Grouping is not null) : ladder)
            .ToImmutableArray();
        return kept.Select((ladder, index) => ladder.Length == candidates[index].Length).All(same => same) ? null : kept;
    }

    private static bool IsLarge(LayerIntent intent) =>
        intent.RulePointer is null && intent.MayKeep && Math.Min(intent.Layer.Rows, intent.Layer.Columns) > CandidateLadder.WholeSpectrumSide;

    private static bool Hopeless(FileOverheads overheads, ImmutableArray<LayerIntent> intents, ImmutableArray<ImmutableArray<Candidate>> candidates, long bytes, long bytesKept)
    {
        if (candidates.All(ladder => ladder.All(candidate => candidate.Form is null)))
        {
            return true;
        }

        var inBytes = new SizeModel(overheads, intents, new CompressionTarget(TargetKind.Bytes, 0), bytes, bytesKept);
        return inBytes.Measure(CompressionPlanner.Smallest(inBytes, candidates, losses: null)) >= bytes;
    }

    private static ImmutableArray<ReportWarning> WarningsOf(
        CompressionRecipe recipe, ImmutableArray<LayerIntent> intents, ImmutableArray<ImmutableArray<Candidate>> candidates, ModelFormat before, ModelFormat after)
    {
        var warnings = ImmutableArray.CreateBuilder<ReportWarning>();
        if (before != after)
        {
            warnings.Add(new ReportWarning("converted", $"The model is {OutputFormats.NameOf(before)}, the result {OutputFormats.NameOf(after)}: sizes are compared across the formats."));
        }

        if (recipe.Target is not null && recipe.Methods.Count > 0 && candidates.All(ladder => ladder.All(candidate => candidate.Form is null)))
        {
            warnings.Add(new ReportWarning("no_method_applies", $"None of the methods asked for ({string.Join(", ", recipe.Methods)}) applies to any layer: the original is kept."));
        }

        warnings.AddRange(intents
            .Where((intent, index) => intent.Importance.RowWeights is null && candidates[index].Any(candidate => candidate.Grouping is not null))
            .Select(intent => new ReportWarning(
                "no_frequencies",
                $"{MethodNames.GroupReduce} without token frequencies treats all rows alike, in the order in which they stand: give the counts of the tokens to have frequent rows served better.",
                intent.Layer.Name)));
        return warnings.ToImmutable();
    }

    /// <summary>A rule must be able to do what it says on every layer that it names; each where it can't is a problem.</summary>
    private static void CheckRules(ImmutableArray<LayerIntent> intents, ImmutableArray<ImmutableArray<Candidate>> candidates, List<RecipeProblem> problems)
    {
        // A rank that the layer can't have has been named already.
        var named = problems.Select(problem => problem.Pointer).ToHashSet(StringComparer.Ordinal);
        problems.AddRange(intents
            .Where((intent, index) => intent.RulePointer is not null && candidates[index].IsEmpty && !named.Contains($"{intent.RulePointer}/settings/rank"))
            .Select(intent => new RecipeProblem(
                $"{intent.RulePointer}/method",
                $"{intent.Methods[0]} with these settings does not apply to {intent.Layer.Name} ({intent.Layer.Role}, {intent.Layer.Tensor.DType}, {intent.Layer.Tensor.Shape}, used by {intent.Layer.Operator ?? "no graph"}).",
                RecipeProblem.IncompatibleMethod)));
        for (int i = 0; i < intents.Length; i++)
        {
            if (intents[i] is { RulePointer: { } pointer, Settings: GroupReduceChoice { ParameterRatio: { } ratio } } && GroupedForms.HighestBelow(candidates[i], ratio) is { } highest)
            {
                string detail = highest > 1
                    ? FormattableString.Invariant($"A ratio of {ratio} is beyond what blocks of rank 1 take of {intents[i].Layer.Name}: the highest is {highest}.")
                    : FormattableString.Invariant($"Blocks of rank 1 take as many numbers as {intents[i].Layer.Name} has: no ratio above 1 is possible. Ask for fewer blocks.");
                problems.Add(new RecipeProblem($"{pointer}/settings/parameterRatio", detail, RecipeProblem.IncompatibleMethod));
            }
        }
    }
}
