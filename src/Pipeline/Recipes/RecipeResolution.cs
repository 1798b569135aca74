using System.Collections.Immutable;
using System.Globalization;
using Condense.Engine.Methods;
using Condense.Models.Graph;
using Condense.Pipeline.Stages;

namespace Condense.Pipeline.Recipes;

/// <summary>Checks a whole recipe against a model before any work, and says for every layer what may be done with it.</summary>
internal static class RecipeResolution
{
    /// <summary>Resolves a recipe, to the end whatever is wrong with it. O(layers·patterns).</summary>
    /// <param name="layers">The model's layers.</param>
    /// <param name="tensors">The names of all its tensors: what is kept may be one that is no layer.</param>
    /// <param name="recipe">What is asked.</param>
    /// <param name="problems">Receives every offending place; with any, the answer serves to find more of them and for nothing else.</param>
    public static ImmutableArray<LayerIntent> Resolve(ImmutableArray<Layer> layers, IEnumerable<string> tensors, CompressionRecipe recipe, List<RecipeProblem> problems)
    {
        CheckTarget(recipe, problems);
        CheckMethods(recipe, problems);
        CheckFrequencies(recipe, problems);
        var settings = recipe.Layers
            .Select((rule, index) => MethodCatalogue.Find(rule.Method) is null ? null : MethodSettings.Read(rule.Method, rule.Settings, $"/layers/{index}/settings", problems))
            .ToArray();
        CheckPatterns(layers, tensors, recipe, problems);
        var weighted = FindWeighted(layers, recipe, problems);
        return [.. layers.Select(layer => Intend(layer, recipe, settings, weighted, problems))];
    }

    private static LayerIntent Intend(
        Layer layer, CompressionRecipe recipe, MethodSettings?[] settings, Dictionary<string, Importance> weighted, List<RecipeProblem> problems)
    {
        var importance = weighted.GetValueOrDefault(layer.Name, Importance.None);
        int rule = FirstMatch(recipe.Layers.Select(candidate => candidate.Match), layer.Name);
        if (recipe.Keep.Any(pattern => Glob.Matches(pattern, layer.Name)))
        {
            return new LayerIntent(layer, [], MayKeep: true, Settings: null, importance, RulePointer: null);
        }

        if (rule >= 0 && settings[rule] is null)
        {
            // The rule itself is wrong, and has been named: what it would mean for the layer can't be said.
            return new LayerIntent(layer, [], MayKeep: true, Settings: null, importance, RulePointer: null);
        }

        if (rule >= 0)
        {
            string method = recipe.Layers[rule].Method;
            string pointer = $"/layers/{rule}";
            if (settings[rule] is LowRankChoice { Rank: { } rank } && rank > Math.Min(layer.Rows, layer.Columns))
            {
                problems.Add(new RecipeProblem($"{pointer}/settings/rank", $"Rank {rank} is above min({layer.Rows}, {layer.Columns}), the most that {layer.Name} can have.", RecipeProblem.IncompatibleMethod));
            }

            return new LayerIntent(layer, [method], MayKeep: false, settings[rule], importance, pointer);
        }

        if (recipe.Target is null || layer.Role == WeightRole.Other)
        {
            return new LayerIntent(layer, [], MayKeep: true, Settings: null, importance, RulePointer: null);
        }

        var methods = MethodCatalogue.All
            .Where(method => method.Roles.Contains(layer.Role) && (recipe.Methods.Count == 0 || recipe.Methods.Contains(method.Name, StringComparer.Ordinal)))
            .Select(method => method.Name);
        return new LayerIntent(layer, [.. methods], MayKeep: true, Settings: null, importance, RulePointer: null);
    }

    private static void CheckTarget(CompressionRecipe recipe, List<RecipeProblem> problems)
    {
        if (recipe.Target is not { } target)
        {
            if (recipe.Layers.Count == 0)
            {
                problems.Add(new RecipeProblem("/target", "There is neither a target nor a layer rule: say how small the model must become, or what to do with which layer."));
            }

            return;
        }

        string pointer = $"/target/{char.ToLowerInvariant(target.Kind.ToString()[0])}{target.Kind.ToString()[1..]}";
        double least = target.Kind is TargetKind.Ratio or TargetKind.ParameterRatio ? 1 : double.Epsilon;
        if (!double.IsFinite(target.Value) || target.Value < least)
        {
            string bound = least == 1 ? "at least 1" : "above 0";
            problems.Add(new RecipeProblem(pointer, $"The value {target.Value.ToString(CultureInfo.InvariantCulture)} must be a finite number, {bound}."));
        }
    }

    private static void CheckFrequencies(CompressionRecipe recipe, List<RecipeProblem> problems)
    {
        if (recipe.Frequencies is { Exponent: var exponent } && !IsExponent(exponent))
        {
            problems.Add(new RecipeProblem("/frequencies/exponent", $"The exponent is {exponent.ToString(CultureInfo.InvariantCulture)}; it must be 0 … 1."));
        }
    }

    private static bool IsExponent(double exponent) => exponent is >= 0 and <= 1;

    private static void CheckMethods(CompressionRecipe recipe, List<RecipeProblem> problems)
    {
        var names = MethodCatalogue.All.Select(method => method.Name).ToArray();
        var asked = recipe.Methods.Select((method, index) => (method, pointer: $"/methods/{index}"))
            .Concat(recipe.Layers.Select((rule, index) => (method: rule.Method, pointer: $"/layers/{index}/method")));
        foreach (var (method, pointer) in asked)
        {
            if (MethodCatalogue.Find(method) is null)
            {
                problems.Add(new RecipeProblem(pointer, $"There is no method \"{method}\".{NearestNames.Hint(method, names)}"));
            }
        }
    }

    private static void CheckPatterns(ImmutableArray<Layer> layers, IEnumerable<string> tensors, CompressionRecipe recipe, List<RecipeProblem> problems)
    {
        var patterns = recipe.Layers.Select((rule, index) => (pattern: rule.Match, pointer: $"/layers/{index}/match"))
            .Concat(recipe.Frequencies?.Layers.Select((pattern, index) => (pattern, pointer: $"/frequencies/layers/{index}")) ?? []);
        foreach (var (pattern, pointer) in patterns)
        {
            CheckPattern(layers, pattern, pointer, problems);
        }

        // A kept name may be one that is never compressed (a bias): it must be one of the file's all the same.
        for (int i = 0; i < recipe.Keep.Count; i++)
        {
            string pattern = recipe.Keep[i];
            if (!tensors.Any(name => Glob.Matches(pattern, name)))
            {
                CheckPattern(layers, pattern, $"/keep/{i}", problems);
            }
        }
    }

    private static void CheckPattern(ImmutableArray<Layer> layers, string pattern, string pointer, List<RecipeProblem> problems)
    {
        if (!layers.Any(layer => Glob.Matches(pattern, layer.Name)))
        {
            problems.Add(new RecipeProblem(pointer, $"No layer matches \"{pattern}\".{NearestNames.Hint(pattern, layers.Select(layer => layer.Name))}", RecipeProblem.UnknownLayer));
        }
    }

    /// <summary>Row weights <c>(count + 1)^α</c> for the tables that the counts belong to.</summary>
    private static Dictionary<string, Importance> FindWeighted(ImmutableArray<Layer> layers, CompressionRecipe recipe, List<RecipeProblem> problems)
    {
        var weighted = new Dictionary<string, Importance>(StringComparer.Ordinal);
        if (recipe.Frequencies is not { } frequencies)
        {
            return weighted;
        }

        // One that is out of bounds has been named; any other serves to find more problems.
        double exponent = IsExponent(frequencies.Exponent) ? frequencies.Exponent : TokenFrequencies.DefaultExponent;
        double[] weights = [.. frequencies.Counts.Select(count => Math.Pow(count + 1, exponent))];
        var importance = new Importance { RowWeights = weights };
        foreach (var layer in layers)
        {
            int named = FirstMatch(frequencies.Layers, layer.Name);
            if (named >= 0 && layer.Rows != weights.Length)
            {
                problems.Add(new RecipeProblem($"/frequencies/layers/{named}", $"There are {weights.Length} counts, but {layer.Name} has {layer.Rows} rows.", RecipeProblem.IncompatibleMethod));
            }
            else if (named >= 0 || (frequencies.Layers.Count == 0 && layer.Rows == weights.Length && layer.Role is WeightRole.Embedding or WeightRole.Softmax))
            {
                weighted[layer.Name] = importance;
            }
        }

        if (weighted.Count == 0 && frequencies.Layers.Count == 0)
        {
            problems.Add(new RecipeProblem("/frequencies", $"There are {weights.Length} counts, but no embedding or softmax layer has that many rows. Name the tables, or give one count per row.", RecipeProblem.IncompatibleMethod));
        }

        return weighted;
    }

    /// <summary>The number of the first pattern that covers a name, or −1.</summary>
    private static int FirstMatch(IEnumerable<string> patterns, string name)
    {
        int number = 0;
        foreach (string pattern in patterns)
        {
            if (Glob.Matches(pattern, name))
            {
                return number;
            }

            number++;
        }

        return -1;
    }
}
