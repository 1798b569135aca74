using System.Globalization;
using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Idempotency;
using Condense.Service.Library;
using Condense.Service.Problems;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Uploads;

/// <summary>The addresses under <c>/v1/uploads</c>: tus 1.0.0.</summary>
internal static class UploadEndpoints
{
    private const string OverrideField = "X-HTTP-Method-Override";

    /// <summary>How bytes are refused, and the whole.</summary>
    private static readonly IReadOnlyList<ProblemKind> s_refusals =
        [ProblemKind.UploadOffsetMismatch, ProblemKind.ModelCommitted, ProblemKind.InvalidField, .. ProblemKind.OfModels, ProblemKind.QuotaExceeded];

    /// <summary>Adds them.</summary>
    public static void MapUploads(this RouteGroupBuilder group)
    {
        var root = group.MapGroup("/uploads").WithTags("Uploads");
        root.MapMethods("/", [HttpMethods.Options], Describe).WithName("DescribeUploads").IsOpen().Sends([.. TusFields.OfOptions]);
        var uploads = root.MapGroup("").WithMetadata(new TusAddress()).AddEndpointFilter(Tus.CheckVersionAsync).SpeaksTus();
        uploads.MapPost("/", Create).WithName("CreateUpload").Needs(Scope.ModelsWrite).WithOffsetBody(required: false)
            .Reads(TusFields.Length, TusFields.Metadata, TusFields.Checksum).Sends(TusFields.Offset, TusFields.Expires, TusFields.Model)
            .Fails([ProblemKind.NotFound, .. s_refusals]);
        uploads.MapMethods("/{id}", [HttpMethods.Head], Head).WithName("GetUploadOffset").Needs(Scope.ModelsWrite)
            .Sends([TusFields.Offset, TusFields.Expires, TusFields.Model, .. TusFields.OfHead]).Fails(ProblemKind.Expired);
        uploads.MapPatch("/{id}", Continue).WithName("ContinueUpload").Needs(Scope.ModelsWrite).WithOffsetBody(required: true)
            .Reads(TusFields.Start, TusFields.Checksum).Sends(TusFields.Offset, TusFields.Expires, TusFields.Model).Fails([ProblemKind.Expired, .. s_refusals]);
        uploads.MapDelete("/{id}", Delete).WithName("DeleteUpload").Needs(Scope.ModelsWrite).Fails();
        uploads.MapPost("/{id}", Override).WithName("OverrideUpload").Needs(Scope.ModelsWrite).ExcludeFromDescription();
    }

    /// <summary>Says which parts of the tus protocol are spoken.</summary>
    /// <param name="http">The request.</param>
    /// <param name="limits">The limits.</param>
    /// <response code="204">`Tus-Version`, `Tus-Extension`, `Tus-Max-Size`, `Tus-Checksum-Algorithm`.</response>
    public static NoContent Describe(HttpContext http, IOptions<LimitsOptions> limits)
    {
        var headers = http.Response.Headers;
        headers[Tus.ResumableField] = Tus.Version;
        headers[Tus.VersionField] = Tus.Version;
        headers[Tus.ExtensionField] = Tus.Extensions;
        headers[Tus.MaxSizeField] = Text(limits.Value.ModelBytes);
        headers[Tus.ChecksumAlgorithmField] = UploadChecksum.Algorithms;
        return TypedResults.NoContent();
    }

    /// <summary>Begins a resumable upload.</summary>
    /// <remarks>
    /// The protocol is [tus 1.0.0](https://tus.io/protocols/resumable-upload); any of its clients will do. `Upload-Metadata` may name the model (`name` or `filename`), or say
    /// that the upload is a part of a model of several files (`model`, and `part` or `filename`). The first bytes may come along as the body.
    /// </remarks>
    /// <param name="http">The request.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="ledger">The uploads.</param>
    /// <param name="receiver">Takes the bytes.</param>
    /// <param name="parts">The models of several files.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="length">Bytes of the whole.</param>
    /// <param name="metadata">Keys and values in base64.</param>
    /// <param name="checksum">The digest of the body, if there is one.</param>
    /// <response code="201">`Location` is where the bytes go; `Upload-Expires` when it is removed unless bytes come.</response>
    public static async Task<Created> Create(
        HttpContext http,
        IdempotentRequest first,
        UploadLedger ledger,
        UploadReceiver receiver,
        PartLibrary parts,
        IOptions<LimitsOptions> limits,
        [FromHeader(Name = Tus.LengthField)] string? length = null,
        [FromHeader(Name = Tus.MetadataField)] string? metadata = null,
        [FromHeader(Name = Tus.ChecksumField)] string? checksum = null)
    {
        if (http.Request.Headers.ContainsKey(Tus.DeferLengthField))
        {
            throw new ProblemException(ProblemKind.MalformedHeader, $"{Tus.DeferLengthField} is not taken here: say how long the file is with {Tus.LengthField}.");
        }

        long bytes = Number(Tus.LengthField, length);
        if (bytes > limits.Value.ModelBytes)
        {
            throw new ProblemException(ProblemKind.PayloadTooLarge, $"The upload is announced with {bytes} bytes; {limits.Value.ModelBytes} are accepted. GET /v1/limits lists the limits.");
        }

        bool hasBody = HasBody(http.Request);
        using var digest = UploadChecksum.Parse(checksum);
        var known = UploadMetadata.Parse(metadata);
        if (known.Model is not null)
        {
            long room = await parts.RoomAsync(known.Model, known.Part, http.RequestAborted);
            if (bytes > room)
            {
                throw new ProblemException(ProblemKind.PayloadTooLarge, $"The upload is announced with {bytes} bytes; the model {known.Model} has room for {room} more.");
            }
        }

        bool receives = hasBody || bytes == 0;
        if (!receives)
        {
            first.AnswerWith<UploadSession>(made => Begun(made));
        }

        var upload = await ledger.CreateAsync(bytes, known.Name, metadata, http.RequestAborted);
        http.Response.Headers[Tus.ExpiresField] = Expires(upload);
        if (receives)
        {
            if (known.Model is null)
            {
                first.AnswerWith<StoredModel>(model => Begun(upload, model.Id));
            }
            else
            {
                first.AnswerWith<ModelPart>(part => Begun(upload, part.ModelId));
            }

            RequestBody.Allow(http, bytes);
            var turn = await ledger.TakeAsync(upload.Id, 0, http.RequestAborted);
            try
            {
                Answer(http, await receiver.ReceiveAsync(upload, turn, http.Request.Body, digest, http.RequestAborted));
            }
            catch
            {
                // The answer to come does not say where the upload is: it would take its room until it expires, and the client begins another.
                await receiver.AbandonAsync(turn);
                throw;
            }
        }

        return TypedResults.Created(AddressOf(upload));
    }

    /// <summary>Says how many bytes of an upload are there.</summary>
    /// <param name="id">The upload.</param>
    /// <param name="http">The request.</param>
    /// <param name="ledger">The uploads.</param>
    /// <response code="200">`Upload-Offset` of `Upload-Length` bytes are durable. `Condense-Model` when all are, and the model is made.</response>
    public static async Task<Ok> Head(string id, HttpContext http, UploadLedger ledger)
    {
        var upload = await ledger.GetAsync(id, http.RequestAborted);
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers[Tus.LengthField] = Text(upload.Length);
        http.Response.Headers[Tus.ExpiresField] = Expires(upload);
        if (upload.Metadata is not null)
        {
            http.Response.Headers[Tus.MetadataField] = upload.Metadata;
        }

        Answer(http, (upload.Offset, upload.ModelId));
        return TypedResults.Ok();
    }

    /// <summary>Continues an upload.</summary>
    /// <remarks>
    /// Bytes count once they are durable, also those of a request that breaks off. A request that hangs is pre-empted by the next. The last bytes make the
    /// model, and the answer names it in `Condense-Model`; sent again while it is made, they wait for the same answer. A file that is no model is refused
    /// (422) and the upload removed; after any other refusal, such as a quota, the upload is still there, and the last bytes may be sent again.
    /// </remarks>
    /// <param name="id">The upload.</param>
    /// <param name="http">The request.</param>
    /// <param name="ledger">The uploads.</param>
    /// <param name="receiver">Takes the bytes.</param>
    /// <param name="offset">Where the bytes belong: right behind those that are there.</param>
    /// <param name="checksum">The digest of the body: `sha256` or `sha1`, a space, base64. With it, all bytes of the body count or none.</param>
    /// <response code="204">`Upload-Offset` bytes are durable.</response>
    public static async Task<NoContent> Continue(
        string id,
        HttpContext http,
        UploadLedger ledger,
        UploadReceiver receiver,
        [FromHeader(Name = Tus.OffsetField)] string? offset = null,
        [FromHeader(Name = Tus.ChecksumField)] string? checksum = null)
    {
        RequireType(http.Request);
        long start = Number(Tus.OffsetField, offset);
        using var digest = UploadChecksum.Parse(checksum);
        var (upload, waited) = await ledger.SettledAsync(id, http.RequestAborted);
        if (upload.ModelId is not null && (waited || (start == upload.Length && http.Request.ContentLength == 0)))
        {
            // These bytes have come before: the client had not heard that they did.
            Answer(http, (upload.Offset, upload.ModelId));
            return TypedResults.NoContent();
        }

        var turn = await ledger.TakeAsync(id, start, http.RequestAborted);
        RequestBody.Allow(http, turn.Length - start);
        Answer(http, await receiver.ReceiveAsync(upload, turn, http.Request.Body, digest, http.RequestAborted));
        http.Response.Headers[Tus.ExpiresField] = Expires(await ledger.GetAsync(id, http.RequestAborted));
        return TypedResults.NoContent();
    }

    /// <summary>Gives an upload up.</summary>
    /// <remarks>The bytes go, also those of one that has expired; a model that the upload has become stays.</remarks>
    /// <param name="id">The upload.</param>
    /// <param name="http">The request.</param>
    /// <param name="ledger">The uploads.</param>
    /// <param name="bytes">Where the bytes lie.</param>
    /// <response code="204">It is gone.</response>
    public static async Task<NoContent> Delete(string id, HttpContext http, UploadLedger ledger, IUploadBytes bytes)
    {
        if (await ledger.RemoveAsync(id, http.RequestAborted) is { } blob)
        {
            await bytes.RemoveAsync(blob);
        }

        return TypedResults.NoContent();
    }

    /// <summary>For clients that can't send other methods than POST, as the protocol asks.</summary>
    /// <param name="id">The upload.</param>
    /// <param name="http">The request.</param>
    /// <param name="ledger">The uploads.</param>
    /// <param name="receiver">Takes the bytes.</param>
    /// <param name="bytes">Where the bytes lie.</param>
    public static async Task<IResult> Override(string id, HttpContext http, UploadLedger ledger, UploadReceiver receiver, IUploadBytes bytes)
    {
        var headers = http.Request.Headers;
        return headers[OverrideField].ToString() switch
        {
            "PATCH" => await Continue(id, http, ledger, receiver, headers[Tus.OffsetField], headers[Tus.ChecksumField]),
            "DELETE" => await Delete(id, http, ledger, bytes),
            "HEAD" => await Head(id, http, ledger),
            _ => throw new ProblemException(ProblemKind.MethodNotAllowed, $"An upload is continued with PATCH, or with POST and {OverrideField}: PATCH."),
        };
    }

    /// <summary>The answer to a creation, as it is kept.</summary>
    private static KeptAnswer Begun(UploadSession upload, string? modelId = null)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { [HeaderNames.Location] = AddressOf(upload), [Tus.ExpiresField] = Expires(upload) };
        if (modelId is not null)
        {
            headers.Add(Tus.OffsetField, Text(upload.Length));
            headers.Add(Tus.ModelField, modelId);
        }

        return new KeptAnswer(StatusCodes.Status201Created, headers, "");
    }

    private static string AddressOf(UploadSession upload) => $"/v1/uploads/{upload.Id}";

    private static void Answer(HttpContext http, (long Offset, string? ModelId) state)
    {
        http.Response.Headers[Tus.OffsetField] = Text(state.Offset);
        if (state.ModelId is not null)
        {
            http.Response.Headers[Tus.ModelField] = state.ModelId;
        }
    }

    private static string Expires(UploadSession upload) => upload.ExpiresAt.ToString("R", CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Number(string field, string? value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new ProblemException(ProblemKind.MalformedHeader, $"{field} is \"{value}\"; a whole number of bytes belongs there.");

    /// <summary>A body of the announcing request is the file's beginning, and says so.</summary>
    private static bool HasBody(HttpRequest request)
    {
        bool hasBody = request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0;
        if (hasBody)
        {
            RequireType(request);
        }

        return hasBody;
    }

    private static void RequireType(HttpRequest request)
    {
        if (!string.Equals(request.ContentType, Tus.ContentType, StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(ProblemKind.UnsupportedMediaType, $"Bytes of an upload come as {Tus.ContentType}; this is \"{request.ContentType}\".");
        }
    }
}
