using Condense.Service.Hosting;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.Extensions.Primitives;

namespace Condense.Service.Library;

/// <summary>The fields <c>Content-Digest</c> and <c>Repr-Digest</c> (RFC 9530), with SHA-256.</summary>
internal static class ContentDigest
{
    /// <summary>The request field.</summary>
    public const string ContentField = "Content-Digest";

    /// <summary>The response field.</summary>
    public const string RepresentationField = "Repr-Digest";

    /// <summary>The digest that a client announces.</summary>
    public static RequestField Field { get; } = new(
        ContentField, "The SHA-256 of the body (RFC 9530): verified on arrival. In a form it belongs into the header of the part.", RequestField.Text("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"))
    {
        Refusals = [ProblemKind.MalformedHeader, ProblemKind.DigestMismatch],
    };

    private const string Algorithm = "sha-256";
    private const int DigestBytes = 32;

    /// <summary>The field's value for a digest in hex.</summary>
    public static string Format(string sha256) => $"{Algorithm}=:{Convert.ToBase64String(Convert.FromHexString(sha256))}:";

    /// <summary>The digest that a field announces, lower-case hex; null without a field.</summary>
    /// <exception cref="ProblemException">The field holds no SHA-256: <c>malformed_header</c>. To ignore it would be to promise a check and not do it.</exception>
    public static string? Parse(StringValues field)
    {
        if (field.Count == 0)
        {
            return null;
        }

        foreach (string member in field.ToString().Split(',', StringSplitOptions.TrimEntries))
        {
            int equals = member.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !string.Equals(member[..equals], Algorithm, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            byte[] digest = new byte[DigestBytes];
            if (member[(equals + 1)..] is [':', .. var base64, ':'] && Convert.TryFromBase64String(base64, digest, out int length) && length == DigestBytes)
            {
                return Convert.ToHexStringLower(digest);
            }
        }

        throw new ProblemException(
            ProblemKind.MalformedHeader, $"{ContentField} holds no SHA-256. It looks like sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=: (base64 between colons).");
    }

    /// <summary>Compares what arrived with what was announced.</summary>
    /// <exception cref="ProblemException">They differ: <c>digest_mismatch</c>.</exception>
    public static void Verify(string? announced, StagedFile file)
    {
        if (announced is not null && !string.Equals(announced, file.Sha256, StringComparison.Ordinal))
        {
            throw new ProblemException(
                ProblemKind.DigestMismatch, $"{file.Bytes} bytes arrived with SHA-256 {file.Sha256}, but {announced} was announced. Nothing was stored; send the file again.");
        }
    }
}
