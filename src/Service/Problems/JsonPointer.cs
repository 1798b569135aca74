using System.Text;

namespace Condense.Service.Problems;

/// <summary>Pointers into JSON documents (RFC 6901).</summary>
internal static class JsonPointer
{
    /// <summary>A name as a part of a pointer (RFC 6901).</summary>
    public static string Escape(string segment) => segment.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>Turns a path of the serializer, <c>$.layers[0]['a.b']</c>, into a pointer, <c>/layers/0/a.b</c>.</summary>
    public static string FromPath(string? path)
    {
        if (path is not ['$', .. var rest])
        {
            return "";
        }

        var pointer = new StringBuilder();
        int i = 0;
        while (i < rest.Length)
        {
            int end;
            string segment;
            if (rest[i..].StartsWith("['", StringComparison.Ordinal))
            {
                end = rest.IndexOf("']", i, StringComparison.Ordinal);
                end = end < 0 ? rest.Length : end;
                segment = rest[(i + 2)..end];
                end = int.Min(end + 2, rest.Length);
            }
            else if (rest[i] == '[')
            {
                end = rest.IndexOf(']', i);
                end = end < 0 ? rest.Length : end;
                segment = rest[(i + 1)..end];
                end = int.Min(end + 1, rest.Length);
            }
            else
            {
                end = rest.AsSpan(i + 1).IndexOfAny('.', '[');
                end = end < 0 ? rest.Length : end + i + 1;
                segment = rest[(i + 1)..end];
            }

            pointer.Append('/').Append(Escape(segment));
            i = end;
        }

        return pointer.ToString();
    }
}
