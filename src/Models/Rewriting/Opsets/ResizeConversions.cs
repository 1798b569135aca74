using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Condense.Models.Graph;
using Condense.Models.Tensors;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>Conversions of Upsample and Resize.</summary>
internal static class ResizeConversions
{
    private const long FirstOpsetWithOptionalRegion = 13;

    /// <summary>Upsample 9: <c>scales</c> became an input.</summary>
    public static void Scales(Node node, ConversionScope scope)
    {
        node.Inputs.Add(scope.Vector(scope.Floats(node, "scales") ?? throw scope.Refuse("it lacks the setting 'scales'")));
        SettingConversions.Remove(node, "scales");
        scope.Add(node);
    }

    /// <summary>Upsample 10 is called Resize.</summary>
    public static void UpsampleToResize(Node node, ConversionScope scope)
    {
        node.OpType = "Resize";
        scope.Add(node);
    }

    /// <summary>
    /// Resize 11 chooses how places are numbered; until then, place i of the result was place i/scale of the input, and the nearest one the one below where the
    /// input grows, and the one above where it shrinks. Where a node does both, or its scales are computed, it shrinks first and then grows: each axis is
    /// on its own, and a scale of 1 changes nothing.
    /// </summary>
    public static void Coordinates(Node node, ConversionScope scope)
    {
        string scales = node.Inputs[1];
        string region = scope.Opset >= FirstOpsetWithOptionalRegion ? "" : scope.Vector(ImmutableArray<float>.Empty);
        node.Attributes.Add(SettingConversions.Text("coordinate_transformation_mode", "asymmetric"));
        node.Inputs[1] = region;
        node.Inputs.Add(scales);
        if (scope.Text(node, "mode", "nearest") is not "nearest")
        {
            scope.Add(node);
            return;
        }

        float[]? known = scope.ConstantOf(scales) is { DType: DType.F32 } constant ? Read(constant) : null;
        bool grows = known is null || Array.Exists(known, scale => scale > 1);
        bool shrinks = known is null || Array.Exists(known, scale => scale < 1);
        if (grows && shrinks)
        {
            string one = scope.Scalar(1f, DType.F32);
            node.Inputs[0] = scope.Add(
                "Resize",
                [node.Inputs[0], region, scope.Add("Min", [scales, one])],
                SettingConversions.Text("coordinate_transformation_mode", "asymmetric"),
                SettingConversions.Text("mode", "nearest"),
                SettingConversions.Text("nearest_mode", "ceil"));
            node.Inputs[2] = scope.Add("Max", [scales, one]);
            shrinks = false;
        }

        node.Attributes.Add(SettingConversions.Text("nearest_mode", shrinks ? "ceil" : "floor"));
        scope.Add(node);
    }

    /// <summary>Resize 13: an input that does not count is left out, and no longer empty. One way to number places is gone.</summary>
    public static void OptionalInputs(Node node, ConversionScope scope)
    {
        if (scope.Text(node, "coordinate_transformation_mode", "half_pixel") is "tf_half_pixel_for_nn")
        {
            throw scope.Refuse("it numbers places by tf_half_pixel_for_nn, which later versions do not know");
        }

        for (int i = 1; i < node.Inputs.Count; i++)
        {
            if (scope.ConstantOf(node.Inputs[i]) is { Shape.ElementCount: 0 })
            {
                node.Inputs[i] = "";
            }
        }

        scope.Add(node);
    }

    private static float[] Read(Tensor tensor)
    {
        float[] values = new float[checked((int)tensor.Shape.ElementCount)];
        tensor.Data.Read(0, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
