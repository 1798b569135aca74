using Condense.Studies;

// Each study prints a Markdown table of what it measured; results/ holds the tables that were committed.
var studies = new SortedDictionary<string, Func<string, TextWriter, Task>>(StringComparer.Ordinal)
{
    ["glove"] = GloveStudy.RunAsync,
    ["real-models"] = RealModelsStudy.RunAsync,
};
if (args.Length != 1 || !studies.TryGetValue(args[0], out var study))
{
    Console.Error.WriteLine($"Name one study: {string.Join(", ", studies.Keys)}.");
    return 2;
}

if (Environment.GetEnvironmentVariable("CONDENSE_SHARED_DATA") is not { Length: > 0 } data)
{
    Console.Error.WriteLine("CONDENSE_SHARED_DATA names no folder: the studies measure models and tables that are not part of the repository.");
    return 2;
}

await study(data, Console.Out);
return 0;
