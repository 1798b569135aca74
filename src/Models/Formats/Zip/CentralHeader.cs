namespace Condense.Models.Formats.Zip;

/// <summary>What the central directory says of an entry.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Flags">The general purpose bits.</param>
/// <param name="Method">How its bytes are kept.</param>
/// <param name="Time">Time and date of the last change, as the header has them: the date in the upper half.</param>
/// <param name="Crc32">The checksum of the unpacked bytes.</param>
/// <param name="CompressedLength">Bytes in the archive.</param>
/// <param name="Length">Bytes when unpacked.</param>
/// <param name="LocalOffset">Where its local header begins.</param>
internal readonly record struct CentralHeader(
    string Name, int Flags, ZipMethod Method, uint Time, uint Crc32, long CompressedLength, long Length, long LocalOffset);
