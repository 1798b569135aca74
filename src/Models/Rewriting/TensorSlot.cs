using Condense.Models.Tensors;

namespace Condense.Models.Rewriting;

/// <summary>A tensor that a structure is stored in.</summary>
/// <param name="Suffix">What follows the layer's name: <c>.lr_u</c>, <c>.lr_v.q</c>, <c>.scale</c>, <c>.rp0</c>, <c>.gr_u1</c>, <c>.gr_perm</c>, …; empty for a dense matrix.</param>
/// <param name="DType">The type of its elements.</param>
/// <param name="Shape">Its dimensions in the structure's own orientation (out×in).</param>
/// <param name="Packed">The numbers that its bytes hold, where several share a byte; null elsewhere.</param>
public sealed record TensorSlot(string Suffix, DType DType, TensorShape Shape, PackedNumbers? Packed = null);
