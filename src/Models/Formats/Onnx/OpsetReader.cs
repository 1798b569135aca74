namespace Condense.Models.Formats.Onnx;

/// <summary>Reads the operator sets that a model or a function imports.</summary>
internal static class OpsetReader
{
    // What the executor, the rewriter and ONNX Runtime know.
    private const long MinOpset = 7;
    private const long MaxOpset = 25;

    /// <summary>Reads the import of the last field.</summary>
    /// <param name="reader">The file's reader.</param>
    /// <param name="budget">The limits.</param>
    /// <param name="opsets">Receives it; the standard domain under <c>""</c>.</param>
    internal static void Read(WireReader reader, ReadBudget budget, SortedDictionary<string, long> opsets)
    {
        string domain = "";
        long version = 0;
        budget.Item("operator sets", reader.FieldStart);
        long start = reader.FieldStart;
        long outer = reader.Enter();
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case OpsetField.Domain:
                    domain = reader.ReadName();
                    break;
                case OpsetField.Version:
                    version = reader.ReadInt64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        reader.Leave(outer);
        if (string.Equals(domain, "ai.onnx", StringComparison.Ordinal))
        {
            domain = "";
        }

        if (domain.Length == 0 && version is (< MinOpset or > MaxOpset))
        {
            throw new ModelFormatException(
                ModelFormatError.UnsupportedVersion,
                $"The model uses opset {version}; {MinOpset} to {MaxOpset} are read. Convert it with onnx.version_converter.",
                start);
        }

        if (!opsets.TryAdd(domain, version) && opsets[domain] != version)
        {
            throw new ModelFormatException(
                ModelFormatError.InvalidGraph, $"Domain '{domain}' is imported in versions {opsets[domain]} and {version}.", start);
        }
    }
}
