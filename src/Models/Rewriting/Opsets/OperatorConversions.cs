using System.Collections.Frozen;
using Condense.Models.Graph;

namespace Condense.Models.Rewriting.Opsets;

/// <summary>Which conversion takes an operator to a version in which something changed.</summary>
internal static class OperatorConversions
{
    private static readonly FrozenDictionary<(string Operator, long Version), Action<Node, ConversionScope>> s_all = new Dictionary<(string, long), Action<Node, ConversionScope>>
    {
        [("BatchNormalization", 9)] = NormalizationConversions.DropSpatial,
        [("BatchNormalization", 14)] = NormalizationConversions.ForInference,
        [("Clip", 11)] = SettingConversions.Limits,
        [("DFT", 20)] = SettingConversions.FourierAxis,
        [("Dropout", 10)] = NormalizationConversions.DropMask,
        [("Dropout", 12)] = SettingConversions.Ratio,
        [("GridSample", 20)] = SettingConversions.Interpolation,
        [("GroupNormalization", 21)] = NormalizationConversions.ScaleChannels,
        [("Hardmax", 13)] = SoftmaxConversion.Convert,
        [("LogSoftmax", 13)] = SoftmaxConversion.Convert,
        [("Pad", 11)] = SettingConversions.Pads,
        [("ReduceL1", 18)] = SettingConversions.Axes,
        [("ReduceL2", 18)] = SettingConversions.Axes,
        [("ReduceLogSum", 18)] = SettingConversions.Axes,
        [("ReduceLogSumExp", 18)] = SettingConversions.Axes,
        [("ReduceMax", 18)] = SettingConversions.Axes,
        [("ReduceMean", 18)] = SettingConversions.Axes,
        [("ReduceMin", 18)] = SettingConversions.Axes,
        [("ReduceProd", 18)] = SettingConversions.Axes,
        [("ReduceSum", 13)] = SettingConversions.Axes,
        [("ReduceSumSquare", 18)] = SettingConversions.Axes,
        [("Resize", 11)] = ResizeConversions.Coordinates,
        [("Resize", 13)] = ResizeConversions.OptionalInputs,
        [("RoiAlign", 16)] = SettingConversions.RegionPixels,
        [("Scatter", 11)] = SettingConversions.ScatterElements,
        [("Slice", 10)] = SettingConversions.Slices,
        [("Softmax", 13)] = SoftmaxConversion.Convert,
        [("Split", 13)] = SettingConversions.Parts,
        [("Split", 18)] = SettingConversions.CountParts,
        [("Squeeze", 13)] = SettingConversions.Axes,
        [("TopK", 10)] = SettingConversions.Count,
        [("Unsqueeze", 13)] = SettingConversions.Axes,
        [("Upsample", 9)] = ResizeConversions.Scales,
        [("Upsample", 10)] = ResizeConversions.UpsampleToResize,
    }.ToFrozenDictionary();

    /// <summary>All operators and versions that a conversion leads to.</summary>
    public static IEnumerable<(string Operator, long Version)> All => s_all.Keys;

    /// <summary>
    /// The conversion of a node from the operator's version before to this one: it adds what takes the node's place; null when there is no faithful one.
    /// </summary>
    /// <param name="opType">The operator.</param>
    /// <param name="version">The version, one that <see cref="OperatorHistory"/> marks as changed.</param>
    public static Action<Node, ConversionScope>? Find(string opType, long version) => s_all.GetValueOrDefault((opType, version));
}
