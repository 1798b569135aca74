namespace Condense.Models.Formats.Onnx;

/// <summary>A run of a tensor's elements as a typed field of the file has them.</summary>
/// <param name="Start">The file's byte where the first begins.</param>
/// <param name="First">The number of elements before it.</param>
/// <param name="TagBytes">Bytes of the tag that stands before each element; 0 in a packed run.</param>
/// <param name="Count">How many elements.</param>
internal readonly record struct EncodedElements(long Start, long First, int TagBytes, long Count);
