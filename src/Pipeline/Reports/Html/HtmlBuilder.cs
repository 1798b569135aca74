using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Condense.Pipeline.Reports.Html;

/// <summary>
/// Collects markup. What stands literally in an interpolated string is markup; every value in its holes is text and is escaped. Beside the page's own
/// stylesheet no string can be added as markup, so no name from a file becomes any.
/// </summary>
internal sealed class HtmlBuilder
{
    private readonly StringBuilder _text = new();

    /// <summary>Adds markup with values.</summary>
    public HtmlBuilder Add([InterpolatedStringHandlerArgument("")] ref Markup markup)
    {
        _ = markup;
        return this;
    }

    /// <summary>Adds the stylesheet as it is: its digest counts.</summary>
    public void AddStylesheet() => _text.Append("<style>").Append(Stylesheet.Text).Append("</style>\n");

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private static string? Special(char character) => character switch
    {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&#39;",
        _ => null,
    };

    /// <summary>An interpolated string on its way into a builder.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct Markup
    {
        private readonly StringBuilder _target;

        /// <summary>Begins; the lengths are hints of the compiler.</summary>
        public Markup(int literalLength, int formattedCount, HtmlBuilder builder)
        {
            _ = formattedCount;
            _target = builder._text;
            _target.EnsureCapacity(_target.Length + literalLength);
        }

        /// <summary>Markup.</summary>
        public void AppendLiteral(string value) => _target.Append(value);

        /// <summary>Text.</summary>
        public void AppendFormatted(string? value)
        {
            if (value is not null)
            {
                ReportText.AppendVisible(_target, value, Special);
            }
        }

        /// <summary>A number, the same in every country.</summary>
        public void AppendFormatted<T>(T value, string? format = null)
            where T : struct, IFormattable => AppendFormatted(value.ToString(format, CultureInfo.InvariantCulture));
    }
}
