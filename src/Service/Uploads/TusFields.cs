using Condense.Service.Hosting;
using Condense.Service.Problems;
using Microsoft.OpenApi;

namespace Condense.Service.Uploads;

/// <summary>The headers of the tus protocol.</summary>
internal static class TusFields
{
    private static readonly RequestField s_speaks = new(Tus.ResumableField, "The version of the protocol.", Version()) { Required = true, Refusals = [ProblemKind.PreconditionFailed] };

    private static readonly ResponseField s_spoken = new(Tus.ResumableField, "The version of the protocol.", Version()) { On = _ => true };

    private static readonly ResponseField s_versions = new(Tus.VersionField, "The versions of the protocol that are spoken.", Version()) { On = status => status is 204 or 412 };

    /// <summary>Bytes of the whole.</summary>
    public static RequestField Length { get; } = new(Tus.LengthField, "Bytes of the whole.", ResponseField.Whole()) { Required = true, Refusals = [ProblemKind.MalformedHeader] };

    /// <summary>Where the bytes of a request belong.</summary>
    public static RequestField Start { get; } = new(Tus.OffsetField, "Where the bytes belong: right behind those that are there.", ResponseField.Whole())
    {
        Required = true,
        Refusals = [ProblemKind.MalformedHeader, ProblemKind.UploadOffsetMismatch],
    };

    /// <summary>Names and values.</summary>
    public static RequestField Metadata { get; } = new(
        Tus.MetadataField,
        "Keys, each with a space and its value in Base64 of UTF-8; commas between them. `name` or `filename` is what people shall call the model; `model`, and `part` or `filename`, make the upload a part of a model of several files.",
        RequestField.Text("filename bW9kZWwub25ueA=="))
    {
        Refusals = [ProblemKind.MalformedHeader, ProblemKind.InvalidField],
    };

    /// <summary>The digest of a request's bytes.</summary>
    public static RequestField Checksum { get; } = new(
        Tus.ChecksumField, "The digest of the body: `sha256` or `sha1`, a space, Base64. With it, all bytes of the body count or none.", RequestField.Text("sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="))
    {
        Refusals = [ProblemKind.MalformedHeader, ProblemKind.ChecksumMismatch],
    };

    /// <summary>Bytes that are there.</summary>
    public static ResponseField Offset { get; } = new(Tus.OffsetField, "Bytes that are durable.", ResponseField.Whole());

    /// <summary>The model that the upload has become.</summary>
    public static ResponseField Model { get; } = new(Tus.ModelField, "The model that the upload has become, once it is whole.", ResponseField.Text("mdl_01JD8Y3Q4Z5X6W7V8T9S0R1Q2P"));

    /// <summary>The end of an upload's life.</summary>
    public static ResponseField Expires { get; } = new(Tus.ExpiresField, "When the upload is removed unless bytes come.", ResponseField.Text("Sun, 22 Nov 2026 12:00:00 GMT"));

    /// <summary>What HEAD tells besides.</summary>
    public static IReadOnlyList<ResponseField> OfHead { get; } =
    [
        new(Tus.LengthField, "Bytes of the whole.", ResponseField.Whole()),
        new(Tus.MetadataField, "As it was sent when the upload began.", RequestField.Text("filename bW9kZWwub25ueA==")),
    ];

    /// <summary>What OPTIONS tells.</summary>
    public static IReadOnlyList<ResponseField> OfOptions { get; } =
    [
        s_spoken,
        s_versions,
        new(Tus.ExtensionField, "What is spoken beyond the protocol's core.", RequestField.Text(Tus.Extensions)),
        new(Tus.MaxSizeField, "The most bytes of an upload.", ResponseField.Whole()),
        new(Tus.ChecksumAlgorithmField, $"The algorithms of `{Tus.ChecksumField}`.", RequestField.Text(UploadChecksum.Algorithms)),
    ];

    /// <summary>The requests speak the protocol, and so do the answers.</summary>
    public static TBuilder SpeaksTus<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.WithMetadata(s_speaks, s_spoken, s_versions with { On = status => status >= StatusCodes.Status400BadRequest });

    private static OpenApiSchema Version() => new() { Type = JsonSchemaType.String, Enum = [Tus.Version], Default = Tus.Version };
}
