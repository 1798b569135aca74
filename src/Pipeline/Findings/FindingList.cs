using System.Globalization;
using Condense.Models;
using Condense.Models.Tensors;

namespace Condense.Pipeline.Findings;

/// <summary>Findings in the making. A file of a million broken tensors gets no million sentences: each code is told so many times, then counted.</summary>
internal sealed class FindingList
{
    private const int ToldEach = 1000;

    private const int NamesTold = 5;

    private readonly List<ModelFinding> _findings = [];

    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>Adds a finding.</summary>
    public void Add(string code, string detail, string? tensor = null)
    {
        int count = _counts.GetValueOrDefault(code) + 1;
        _counts[code] = count;
        if (count <= ToldEach)
        {
            _findings.Add(new ModelFinding(code, detail, tensor));
        }
    }

    /// <summary>Everything, and how many findings of a code were left out.</summary>
    public IReadOnlyList<ModelFinding> ToList() =>
    [
        .. _findings,
        .. _counts.Where(pair => pair.Value > ToldEach).Select(pair => new ModelFinding(pair.Key, Invariant($"There are {pair.Value - ToldEach} more findings of this kind."))),
    ];

    /// <summary>So many tensors with their bytes and the first of their names.</summary>
    public static string Tell(IReadOnlyCollection<Tensor> tensors) =>
        Invariant($"{Count(tensors.Count, "tensor")} of {tensors.Sum(tensor => tensor.Data.ByteLength):N0} bytes ({Names(tensors.Select(tensor => tensor.Name), tensors.Count)})");

    /// <summary>The first names, and how many there are beside them.</summary>
    public static string Names(IEnumerable<string> names, int count)
    {
        string told = string.Join(", ", names.Take(NamesTold));
        return count <= NamesTold ? told : Invariant($"{told} and {count - NamesTold} more");
    }

    /// <summary>A number with its noun.</summary>
    public static string Count(long number, string noun) => Invariant($"{number:N0} {noun}{(number == 1 ? "" : "s")}");

    /// <summary>Numbers as in English, wherever the service runs.</summary>
    public static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
