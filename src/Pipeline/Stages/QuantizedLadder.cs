using Condense.Engine.Structures;
using Condense.Models.Graph;
using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Stages;

/// <summary>The forms of <see cref="MethodNames.Quantize"/> that are tried or asked for.</summary>
internal static class QuantizedLadder
{
    private const int DefaultCodeBits = 8;

    private const int DefaultGroupSize = 64;

    /// <summary>Below this a scale costs more than a code gains.</summary>
    public const int FinestGroup = 16;

    /// <summary>Sizes of groups that the planner tries for codes of 8 and 4 bits, beside whole rows.</summary>
    private static readonly int[] s_groupSizes = [128, 64, 32, FinestGroup];

    /// <summary>
    /// Those for the other widths, which lie close to each other already: smaller groups would cost as much as a bit of code, and gain less.
    /// </summary>
    private static readonly int[] s_fewGroupSizes = [64];

    /// <summary>Widths that the planner tries where any width is packed: a file without a graph.</summary>
    private static readonly int[] s_widths = [8, 6, 5, 4, 3, 2];

    /// <summary>Those that it tries in a graph, whose operators know no others.</summary>
    private static readonly int[] s_widthsInGraphs = [8, 4];

    /// <summary>Lists the forms. O(widths·sizes).</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="asked">What a rule says; null where none names the layer.</param>
    /// <param name="withTarget">True: everything that is allowed, for a planner to choose from. False: the one that is asked for.</param>
    /// <param name="inGraph">Whether a graph has to read the codes.</param>
    /// <param name="supported">Whether a form can take the layer's place.</param>
    public static IEnumerable<QuantizedForm> Forms(Layer layer, QuantizeChoice? asked, bool withTarget, bool inGraph, Func<StructureForm, bool> supported)
    {
        int[] widths = asked?.CodeBits is { } given ? [given] : !withTarget ? [DefaultCodeBits] : inGraph ? s_widthsInGraphs : s_widths;
        foreach (int bits in widths)
        {
            foreach (var (granularity, size) in Granularities(asked, layer.Columns, bits, withTarget))
            {
                // Below 8 bits a step is worth more than a zero point costs; at 8 bits it is not.
                bool symmetric = asked?.Symmetric ?? (!withTarget || bits == DefaultCodeBits);
                var packed = new QuantizedForm(layer.Rows, layer.Columns, bits, symmetric, granularity, size);
                if (supported(packed))
                {
                    yield return packed;
                }
                else if (packed.IsPacked && asked?.CodeBits is not null)
                {
                    yield return new QuantizedForm(layer.Rows, layer.Columns, bits, symmetric, granularity, size, QuantizedForm.ByteBits);
                }
            }
        }
    }

    private static IEnumerable<(QuantizationGranularity Granularity, int GroupSize)> Granularities(QuantizeChoice? asked, int columns, int bits, bool withTarget)
    {
        var granularity = asked?.Granularity ?? (asked?.GroupSize is null ? null : QuantizationGranularity.PerGroup);
        if (granularity is null && withTarget)
        {
            yield return (QuantizationGranularity.PerRow, 0);
            foreach (int size in (bits is 4 or DefaultCodeBits ? s_groupSizes : s_fewGroupSizes).Where(size => size < columns))
            {
                yield return (QuantizationGranularity.PerGroup, size);
            }

            yield break;
        }

        var one = granularity ?? QuantizationGranularity.PerRow;
        yield return (one, one == QuantizationGranularity.PerGroup ? asked?.GroupSize ?? DefaultGroupSize : 0);
    }
}
