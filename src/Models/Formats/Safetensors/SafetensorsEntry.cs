using Condense.Models.Tensors;

namespace Condense.Models.Formats.Safetensors;

/// <summary>What a header says of one tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">The type of its elements.</param>
/// <param name="Dimensions">Its shape, not yet checked.</param>
/// <param name="Start">Its first byte, counted from the end of the header.</param>
/// <param name="End">One past its last byte.</param>
/// <param name="HeaderOffset">Where its name stands in the file.</param>
internal sealed record SafetensorsEntry(string Name, DType DType, ulong[] Dimensions, ulong Start, ulong End, long HeaderOffset);
