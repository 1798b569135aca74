using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>How a graph holds codes: one to a byte, in a 4-bit type of ONNX, or several to a byte of type U8.</summary>
/// <param name="Bits">Bits that a code takes.</param>
/// <param name="Signed">Two's complement instead of unsigned.</param>
/// <param name="Native">Whether their type is one of ONNX, so that operators see codes and not bytes.</param>
/// <param name="ZeroPoints">The dimensions of the zero points, which those of a packed constant do not tell.</param>
internal sealed record CodeWidth(int Bits, bool Signed, bool Native, TensorShape ZeroPoints)
{
    /// <summary>Whether operators see bytes that hold several codes.</summary>
    public bool IsPacked => !Native && Bits < 8;
}
