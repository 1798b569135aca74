namespace Condense.Models.Formats.Zip;

/// <summary>A file in a zip archive, as the central directory and the local header agree on it.</summary>
/// <param name="Name">Its name, segments divided by <c>/</c>; a folder's ends with one. A key, never a path.</param>
/// <param name="Method">How its bytes are kept.</param>
/// <param name="Length">Bytes when unpacked.</param>
/// <param name="CompressedLength">Bytes in the archive.</param>
/// <param name="Crc32">The checksum of the unpacked bytes.</param>
/// <param name="DataOffset">Where its bytes begin in the archive.</param>
internal sealed record ZipEntry(string Name, ZipMethod Method, long Length, long CompressedLength, uint Crc32, long DataOffset);
