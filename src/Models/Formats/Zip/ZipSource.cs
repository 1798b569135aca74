using Condense.Models.Tensors;

namespace Condense.Models.Formats.Zip;

/// <summary>What becomes an entry: a few bytes, then more of them.</summary>
/// <param name="Name">The entry's name, as <see cref="EntryNames.IsPlain"/> allows it.</param>
/// <param name="Header">Its first bytes.</param>
/// <param name="Data">The others.</param>
internal sealed record ZipSource(string Name, ReadOnlyMemory<byte> Header, TensorData Data)
{
    /// <summary>All its bytes.</summary>
    public long Length => Header.Length + Data.ByteLength;
}
