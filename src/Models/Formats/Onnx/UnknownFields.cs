using System.Collections.Immutable;

namespace Condense.Models.Formats.Onnx;

/// <summary>Collects the fields of one message that are kept as bytes.</summary>
internal sealed class UnknownFields
{
    private ImmutableArray<byte>.Builder? _bytes;

    /// <summary>Keeps the field whose tag was read last, and passes it by.</summary>
    internal void Keep(WireReader reader)
    {
        reader.Skip();
        Add(reader.Copy(reader.FieldRange));
    }

    /// <summary>Keeps an encoded field.</summary>
    internal void Add(ReadOnlySpan<byte> field)
    {
        _bytes ??= ImmutableArray.CreateBuilder<byte>(field.Length);
        _bytes.AddRange(field);
    }

    /// <summary>All that was kept, in order.</summary>
    internal ImmutableArray<byte> ToImmutable() => _bytes?.DrainToImmutable() ?? [];
}
