namespace Condense.Models.Formats.Onnx;

/// <summary>How a protocol-buffers field is encoded; the deprecated groups (3, 4) and the unused numbers are refused.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}
