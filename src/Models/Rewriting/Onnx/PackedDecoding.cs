using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Onnx;

/// <summary>
/// Nodes that take bytes apart into the codes which they hold, with operators that every opset has: a byte is looked up in a table of all bytes. That is
/// one pass where arithmetic needs a division, a rounding, a multiplication and a difference for each part of a byte, and one more of each for signs.
/// </summary>
internal static class PackedDecoding
{
    // Before, Slice has its bounds as attributes.
    private const long FirstOpsetWithBoundsAsInputs = 10;

    /// <summary>All codes of a constant.</summary>
    /// <param name="emitter">The graph.</param>
    /// <param name="constant">The constant of bytes, of any dimensions.</param>
    /// <param name="width">How codes lie in them.</param>
    /// <param name="shape">The dimensions of the codes.</param>
    /// <returns>Nodes whose result is I8 or U8.</returns>
    public static NodeChain Whole(GraphEmitter emitter, string constant, CodeWidth width, TensorShape shape)
    {
        var chain = TakeApart(emitter, new NodeChain(emitter, constant, constant), constant, width);
        if (shape.ElementCount * width.Bits % 8 != 0)
        {
            // The last byte holds less than it could.
            chain.Then("Reshape", [emitter.Dimensions([-1])]);
            if (emitter.Opset < FirstOpsetWithBoundsAsInputs)
            {
                chain.Then("Slice", [], Attributes.Ints("starts", 0), Attributes.Ints("ends", shape.ElementCount));
            }
            else
            {
                chain.Then("Slice", [emitter.Dimensions([0]), emitter.Dimensions([shape.ElementCount])]);
            }
        }

        return chain.Then("Reshape", [emitter.Dimensions(shape.Dimensions)]);
    }

    /// <summary>Codes of some rows of a matrix whose rows take whole bytes.</summary>
    /// <param name="emitter">The graph.</param>
    /// <param name="gathered">Nodes whose result are the bytes of those rows.</param>
    /// <param name="weight">The matrix.</param>
    /// <param name="ids">The value with the numbers of rows, of any rank.</param>
    /// <returns>Nodes whose result has the rank of the ids and one more.</returns>
    public static NodeChain Rows(GraphEmitter emitter, NodeChain gathered, StoredQuantized weight, string ids)
    {
        string counts = emitter.Add("Shape", [ids], emitter.NewName($"{ids}.Shape"));
        string shape = emitter.Add(
            "Concat", [counts, emitter.Dimensions([weight.Shape[1]])], emitter.NewName($"{ids}.Concat"), Attributes.Int("axis", 0));
        return TakeApart(emitter, gathered, weight.Codes, weight.Width).Then("Reshape", [shape]);
    }

    /// <summary>Zero points, taken apart once for all that ask in the same graph.</summary>
    /// <param name="emitter">The graph.</param>
    /// <param name="constant">The constant of bytes.</param>
    /// <param name="width">How codes lie in them.</param>
    /// <returns>The name of the value, U8 in the shape of the scales.</returns>
    public static string ZeroPoints(GraphEmitter emitter, string constant, CodeWidth width) => emitter.Shared($"zeros {constant}", () =>
    {
        string output = emitter.NewName($"{constant}.unpacked");
        Whole(emitter, constant, width, width.ZeroPoints).End(output);
        return output;
    });

    private static NodeChain TakeApart(GraphEmitter emitter, NodeChain bytes, string name, CodeWidth width)
    {
        string numbers = emitter.NewName($"{name}.bytes");
        bytes.Then("Cast", [], Attributes.Int("to", Attributes.Number(DType.I32))).End(numbers);
        return new NodeChain(emitter, emitter.CodesOfBytes(width.Bits, width.Signed), name).Then("Gather", [numbers]);
    }
}
