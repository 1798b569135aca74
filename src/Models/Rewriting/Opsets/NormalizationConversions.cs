using Condense.Models.Formats.Onnx;
using Condense.Models.Graph;
using Condense.Models.Rewriting.Onnx;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>Conversions of normalisations and of Dropout, which behave differently in training.</summary>
internal static class NormalizationConversions
{
    /// <summary>BatchNormalization 9: there is no <c>spatial</c> any more; statistics are always those of channels.</summary>
    public static void DropSpatial(Node node, ConversionScope scope)
    {
        if (scope.Int(node, "spatial", 1) == 0)
        {
            throw scope.Refuse("with spatial = 0 it has statistics for each place, which later versions have not");
        }

        SettingConversions.Remove(node, "spatial");
        scope.Add(node);
    }

    /// <summary>BatchNormalization 14: whether it trains is a setting, and no longer a matter of how many outputs there are.</summary>
    public static void ForInference(Node node, ConversionScope scope)
    {
        if (node.Outputs.Skip(1).Any(output => output.Length > 0))
        {
            throw scope.Refuse("it has the outputs of training, and computes with other statistics then; export the model for inference");
        }

        node.Outputs.RemoveRange(1, node.Outputs.Count - 1);
        scope.Add(node);
    }

    /// <summary>Dropout 10: the mask, which inference does not fill, is of booleans.</summary>
    public static void DropMask(Node node, ConversionScope scope)
    {
        if (node.Outputs.Count > 1 && !scope.TryDrop(node, 1))
        {
            throw scope.Refuse("its mask is used, and is of another type there");
        }

        scope.Add(node);
    }

    /// <summary>
    /// GroupNormalization 21: scale and bias are given for each channel, and no longer for each group: each is repeated, <c>Reshape(Expand(Reshape(s, [−1,1]),
    /// [1, C/groups]), [−1])</c>. The precision is stated too; it was that of the input.
    /// </summary>
    public static void ScaleChannels(Node node, ConversionScope scope)
    {
        long groups = scope.Int(node, "num_groups", 0);
        string channels = scope.Add("Shape", [node.Inputs[0]], Attributes.Int("start", 1), Attributes.Int("end", 2));
        string perGroup = scope.Add("Div", [channels, scope.Vector([groups])]);
        string repeated = scope.Add("Concat", [scope.Vector([1L]), perGroup], Attributes.Int("axis", 0));
        for (int i = 1; i < node.Inputs.Count; i++)
        {
            string column = scope.Add("Reshape", [node.Inputs[i], scope.Vector([-1L, 1L])]);
            string rows = scope.Add("Expand", [column, repeated]);
            node.Inputs[i] = scope.Add("Reshape", [rows, scope.Vector([-1L])]);
        }

        node.Attributes.Add(Attributes.Int("stash_type", OnnxDType.ToCode(scope.TypeOf(node.Inputs[0]))));
        scope.Add(node);
    }
}
