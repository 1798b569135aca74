using Condense.Pipeline.Recipes;

namespace Condense.Pipeline.Reports.Html;

/// <summary>How methods are told apart: each has a colour and a pattern, so that neither alone carries the meaning.</summary>
internal static class MethodStyle
{
    /// <summary>Many small layers in one tile. Not a method.</summary>
    public const string Others = "smaller layers";

    /// <summary>What is no compressible weight: biases, tables of indices, the graph. Not a method.</summary>
    public const string Rest = "rest of the file";

    private const string Unknown = "other";

    private static readonly string[] s_known =
        [MethodNames.Keep, MethodNames.Float16, MethodNames.LowRank, MethodNames.Mixed, MethodNames.Quantize, MethodNames.GroupReduce, Unknown, Others, Rest];

    /// <summary>The name of a method's class and, with <c>p-</c> before it, of its pattern.</summary>
    public static string ClassOf(string method) => Array.IndexOf(s_known, method) is >= 0 and var index ? s_known[index].Replace(' ', '-') : Unknown;

    /// <summary>Defines the patterns, once in a page.</summary>
    public static void AddPatterns(HtmlBuilder html)
    {
        html.Add($"<svg class=\"patterns\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\n");
        foreach (string method in s_known)
        {
            string name = ClassOf(method);
            html.Add($"<pattern id=\"p-{name}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect class=\"f-{name}\" width=\"8\" height=\"8\"/><path class=\"stripe\" d=\"{StrokeOf(method)}\"/></pattern>\n");
        }

        html.Add($"</defs></svg>\n");
    }

    /// <summary>What the colours and patterns mean.</summary>
    public static void AddLegend(HtmlBuilder html, IEnumerable<string> methods)
    {
        html.Add($"<ul class=\"legend\">");
        foreach (string method in s_known.Where(methods.Select(given => Array.IndexOf(s_known, given) >= 0 ? given : Unknown).ToHashSet(StringComparer.Ordinal).Contains))
        {
            html.Add($"<li><svg width=\"18\" height=\"18\" aria-hidden=\"true\"><rect width=\"18\" height=\"18\" rx=\"3\" fill=\"url(#p-{ClassOf(method)})\"/></svg>{method}</li>");
        }

        html.Add($"</ul>\n");
    }

    private static string StrokeOf(string method) => method switch
    {
        MethodNames.Keep => "",
        MethodNames.Float16 => "M4 3v2M0 7v2M8 7v2",
        MethodNames.LowRank => "M-1 9L9 -1M-1 1L1 -1M7 9L9 7",
        MethodNames.Mixed => "M4 0V8",
        MethodNames.Quantize => "M2 4H6M4 2V6",
        MethodNames.GroupReduce => "M0 4H8",
        Others => "M0 0L8 8M8 0L0 8",
        Rest => "M-1 -1L9 9M-1 7L1 9M7 -1L9 1",
        _ => "M0 0H8V8",
    };
}
