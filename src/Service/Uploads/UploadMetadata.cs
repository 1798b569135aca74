using System.Text;
using Condense.Service.Library;
using Condense.Service.Problems;

namespace Condense.Service.Uploads;

/// <summary>The header <c>Upload-Metadata</c>: keys, each with a value in base64.</summary>
/// <param name="Name">What people shall call the model: <c>name</c>, or <c>filename</c>.</param>
/// <param name="Model">The model of several files that the upload is a part of, if it is one: <c>model</c>.</param>
/// <param name="Part">The part's name: <c>part</c>, or <c>filename</c>.</param>
internal sealed record UploadMetadata(string? Name, string? Model, string? Part)
{
    private const int MaxLength = 8 << 10;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads the header; null is none.</summary>
    /// <exception cref="ProblemException">It is not as the protocol says (<c>malformed_header</c>), or a name is none (<c>invalid_field</c>).</exception>
    public static UploadMetadata Parse(string? header)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (header?.Length > MaxLength)
        {
            throw Malformed($"has {header.Length} characters; {MaxLength} are accepted");
        }

        // It comes back with every HEAD.
        if (header?.All(character => character is >= ' ' and < '\x7f') == false)
        {
            throw Malformed("has a character that is not printable ASCII");
        }

        foreach (string pair in (header ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int space = pair.IndexOf(' ', StringComparison.Ordinal);
            string key = space < 0 ? pair : pair[..space];
            if (!values.TryAdd(key, space < 0 ? "" : Decode(key, pair[(space + 1)..])))
            {
                throw Malformed($"has the key {key} twice");
            }
        }

        string? model = Empty(values.GetValueOrDefault("model"));
        string? file = Empty(values.GetValueOrDefault("filename"));
        string? part = Empty(values.GetValueOrDefault("part"));
        if (model is null)
        {
            return part is null
                ? new UploadMetadata(ResourceName.Check(Empty(values.GetValueOrDefault("name")) ?? file, Tus.MetadataField), null, null)
                : throw ProblemException.Field(Tus.MetadataField, "The key part needs the key model: the id that POST /v1/models?parts=true has given.");
        }

        return new UploadMetadata(null, model, PartName.Check(part ?? file, Tus.MetadataField));
    }

    private static string? Empty(string? value) => string.IsNullOrEmpty(value) ? null : value;

    /// <summary>Values of keys that are not ours may be any bytes.</summary>
    private static string Decode(string key, string value)
    {
        byte[] bytes = new byte[value.Length];
        if (!Convert.TryFromBase64String(value, bytes, out int length))
        {
            throw Malformed($"has a value of {key} that is not base64");
        }

        try
        {
            return s_strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException exception) when (key is "name" or "filename" or "model" or "part")
        {
            throw new ProblemException(ProblemKind.MalformedHeader, $"{Tus.MetadataField} has a value of {key} that is not UTF-8.", innerException: exception);
        }
        catch (DecoderFallbackException)
        {
            return "";
        }
    }

    private static ProblemException Malformed(string what) => new(
        ProblemKind.MalformedHeader, $"{Tus.MetadataField} {what}. It looks like: filename bW9kZWwub25ueA==,note Zmlyc3Q= (key, space, base64 of UTF-8; commas between pairs).");
}
