using System.Collections.Immutable;
using System.Text;
using Condense.Models.Graph;
using Condense.Models.Rewriting.Onnx;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>Conversions of operators whose settings became inputs, got other names, or other defaults.</summary>
internal static class SettingConversions
{
    /// <summary><c>axes</c> became an input (Squeeze, Unsqueeze, ReduceSum 13; the other reductions 18).</summary>
    public static void Axes(Node node, ConversionScope scope)
    {
        // No axes and an empty list both mean all of them, as an absent input does.
        if (scope.Ints(node, "axes") is { IsEmpty: false } axes)
        {
            node.Inputs.Add(scope.Vector(axes));
        }

        Remove(node, "axes");
        scope.Add(node);
    }

    /// <summary>Clip 11: <c>min</c> and <c>max</c> became inputs, of the type that is clipped.</summary>
    public static void Limits(Node node, ConversionScope scope)
    {
        var least = scope.Floats(node, "min");
        var most = scope.Floats(node, "max");
        if (least is [var min])
        {
            node.Inputs.Add(scope.Scalar(min, scope.TypeOf(node.Inputs[0])));
        }
        else if (most is not null)
        {
            node.Inputs.Add("");
        }

        if (most is [var max])
        {
            node.Inputs.Add(scope.Scalar(max, scope.TypeOf(node.Inputs[0])));
        }

        Remove(node, "min");
        Remove(node, "max");
        scope.Add(node);
    }

    /// <summary>Slice 10: <c>starts</c>, <c>ends</c> and <c>axes</c> became inputs.</summary>
    public static void Slices(Node node, ConversionScope scope)
    {
        node.Inputs.Add(scope.Vector(Required(node, scope, "starts")));
        node.Inputs.Add(scope.Vector(Required(node, scope, "ends")));
        if (scope.Ints(node, "axes") is { IsEmpty: false } axes)
        {
            node.Inputs.Add(scope.Vector(axes));
        }

        Remove(node, "starts");
        Remove(node, "ends");
        Remove(node, "axes");
        scope.Add(node);
    }

    /// <summary>Pad 11: <c>pads</c> and <c>value</c> became inputs, the latter of the type that is padded.</summary>
    public static void Pads(Node node, ConversionScope scope)
    {
        node.Inputs.Add(scope.Vector(Required(node, scope, "pads")));
        if (scope.Floats(node, "value") is [not 0f and var value] && scope.Text(node, "mode", "constant") is "constant")
        {
            node.Inputs.Add(scope.Scalar(value, scope.TypeOf(node.Inputs[0])));
        }

        Remove(node, "pads");
        Remove(node, "value");
        scope.Add(node);
    }

    /// <summary>TopK 10: <c>k</c> became an input.</summary>
    public static void Count(Node node, ConversionScope scope)
    {
        node.Inputs.Add(scope.Vector([Required(node, scope, "k") is [var count] ? count : throw scope.Refuse("its setting 'k' is not one number")]));
        Remove(node, "k");
        scope.Add(node);
    }

    /// <summary>Split 13: <c>split</c> became an input.</summary>
    public static void Parts(Node node, ConversionScope scope)
    {
        if (scope.Ints(node, "split") is { IsEmpty: false } sizes)
        {
            node.Inputs.Add(scope.Vector(sizes));
        }

        Remove(node, "split");
        scope.Add(node);
    }

    /// <summary>Split 18: without sizes, the number of equal parts is stated and no longer that of the outputs.</summary>
    public static void CountParts(Node node, ConversionScope scope)
    {
        if (node.Inputs.Count < 2 || node.Inputs[1].Length == 0)
        {
            node.Attributes.Add(Attributes.Int("num_outputs", node.Outputs.Count));
        }

        scope.Add(node);
    }

    /// <summary>Dropout 12: <c>ratio</c> became an input. Without the new input <c>training_mode</c> nothing is dropped, as before.</summary>
    public static void Ratio(Node node, ConversionScope scope)
    {
        if (scope.Floats(node, "ratio") is { IsEmpty: false } ratio)
        {
            node.Inputs.Add(scope.Scalar(ratio[0], Tensors.DType.F32));
        }

        Remove(node, "ratio");
        scope.Add(node);
    }

    /// <summary>DFT 20: <c>axis</c> became an input, with another default.</summary>
    public static void FourierAxis(Node node, ConversionScope scope)
    {
        if (node.Inputs.Count < 2)
        {
            node.Inputs.Add("");
        }

        node.Inputs.Add(scope.Scalar(scope.Int(node, "axis", 1)));
        Remove(node, "axis");
        scope.Add(node);
    }

    /// <summary>GridSample 20: two of the modes are called differently.</summary>
    public static void Interpolation(Node node, ConversionScope scope)
    {
        string mode = scope.Text(node, "mode", "bilinear");
        Remove(node, "mode");
        node.Attributes.Add(Text("mode", mode switch
        {
            "bilinear" => "linear",
            "bicubic" => "cubic",
            _ => mode,
        }));
        scope.Add(node);
    }

    /// <summary>RoiAlign 16: pixels are numbered by their centres, unless it is stated that they are numbered as before.</summary>
    public static void RegionPixels(Node node, ConversionScope scope)
    {
        node.Attributes.Add(Text("coordinate_transformation_mode", "output_half_pixel"));
        scope.Add(node);
    }

    /// <summary>Scatter 11 is called ScatterElements.</summary>
    public static void ScatterElements(Node node, ConversionScope scope)
    {
        node.OpType = "ScatterElements";
        scope.Add(node);
    }

    /// <summary>A setting that is a text.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="value">Its value.</param>
    internal static NodeAttribute Text(string name, string value) => new() { Name = name, Kind = AttributeKind.String, Strings = [[.. Encoding.UTF8.GetBytes(value)]] };

    /// <summary>Takes a setting away.</summary>
    /// <param name="node">The node.</param>
    /// <param name="name">The setting's name.</param>
    internal static void Remove(Node node, string name) => node.Attributes.RemoveAll(attribute => string.Equals(attribute.Name, name, StringComparison.Ordinal));

    private static ImmutableArray<long> Required(Node node, ConversionScope scope, string name) =>
        scope.Ints(node, name) ?? throw scope.Refuse($"it lacks the setting '{name}'");
}
