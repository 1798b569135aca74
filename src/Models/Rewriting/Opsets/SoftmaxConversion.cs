using Condense.Models.Graph;
using Condense.Models.Rewriting.Onnx;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>Softmax, LogSoftmax and Hardmax 13: one axis is normalised, where before it was all axes from one on, seen as one.</summary>
internal static class SoftmaxConversion
{
    private const long FirstOpsetWithZeros = 14;

    /// <summary>
    /// Where the axis is the last one, both mean the same. Else <c>y = Reshape(f(Flatten(x, axis)), Shape(x))</c>, f along the last axis.
    /// </summary>
    public static void Convert(Node node, ConversionScope scope)
    {
        long axis = scope.Int(node, "axis", 1);
        string input = node.Inputs[0];
        SettingConversions.Remove(node, "axis");
        node.Attributes.Add(Attributes.Int("axis", -1));
        if (axis == -1 || (scope.RankOf(input) is { } rank && axis == rank - 1))
        {
            scope.Add(node);
            return;
        }

        string shape = scope.Add("Shape", [input]);
        string output = node.Outputs[0];
        node.Inputs[0] = scope.Add("Flatten", [input], Attributes.Int("axis", axis));
        node.Outputs[0] = scope.NewName("flat");
        scope.Add(node);

        // A size of 0 in the shape is one, and not the sign for keeping the size.
        if (scope.Opset >= FirstOpsetWithZeros)
        {
            scope.Add("Reshape", [node.Outputs[0], shape], output, Attributes.Int("allowzero", 1));
        }
        else
        {
            scope.Add("Reshape", [node.Outputs[0], shape], output);
        }
    }
}
