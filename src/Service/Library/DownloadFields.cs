using Condense.Service.Hosting;

namespace Condense.Service.Library;

/// <summary>The headers of downloads.</summary>
internal static class DownloadFields
{
    /// <summary>The digest of a whole file.</summary>
    public static ResponseField Digest { get; } = new(
        ContentDigest.RepresentationField, "The SHA-256 of the whole file (RFC 9530), also with a part of it.", ResponseField.Text("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"))
    {
        On = status => status is 200 or 206 or 304 or 412 or 416,
    };

    /// <summary>What every download has.</summary>
    public static IReadOnlyList<ResponseField> All { get; } =
    [
        new("Accept-Ranges", "Parts can be asked for with `Range`.", ResponseField.Text("bytes")) { On = status => status is 200 or 206 or 304 or 412 or 416 },
        new("Content-Range", "Which bytes these are, and how many there are in all.", ResponseField.Text("bytes 0-1023/4096")) { On = status => status is 206 or 416 },
        new("Content-Disposition", "The file's name.", ResponseField.Text("attachment; filename=model.onnx")),
        ResponseField.ETag with { On = status => status is 200 or 206 or 304 or 412 or 416 },
    ];
}
