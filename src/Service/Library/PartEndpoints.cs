using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Idempotency;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Condense.Service.Library;

/// <summary>The addresses of models of several files: ONNX with external data, safetensors in shards.</summary>
internal static class PartEndpoints
{
    /// <summary>Adds them.</summary>
    public static void MapParts(this RouteGroupBuilder group)
    {
        var models = group.MapGroup("/models/{id}").WithTags("Models");
        models.MapPost("/parts", Add).WithName("AddModelPart").Needs(Scope.ModelsWrite).WithUpload(Upload.OctetStream, Upload.Form)
            .Reads(ContentDigest.Field).Fails(ProblemKind.ModelCommitted, ProblemKind.InvalidField);
        models.MapMethods("/parts/{name}", [HttpMethods.Get, HttpMethods.Head], Get).WithName("GetModelPart").Needs(Scope.ModelsRead)
            .WithDownload(206, 304).Sends(DownloadFields.Digest).Fails(ProblemKind.StorageFull);
        models.MapDelete("/parts/{name}", Remove).WithName("DeleteModelPart").Needs(Scope.ModelsWrite).Fails(ProblemKind.ModelCommitted);
        models.MapPost("/commit", Commit).WithName("CommitModel").Needs(Scope.ModelsWrite)
            .Fails([ProblemKind.ModelCommitted, ProblemKind.ResourceInUse, ProblemKind.PartsMismatch, .. ProblemKind.OfModels]);
    }

    /// <summary>Adds a file to a model of several files.</summary>
    /// <remarks>
    /// The file is the body itself (`application/octet-stream`), or the one file of a form. Its name is the one by which the other files know it: what the ONNX graph
    /// calls `location`, or the index `weight_map`. The same name again replaces the file, until the model is committed. `Content-Digest` is verified.
    /// </remarks>
    /// <param name="id">The model.</param>
    /// <param name="http">The request.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="upload">Receives the file.</param>
    /// <param name="parts">The models of several files.</param>
    /// <param name="name">The name: one segment of at most 255 characters. Default: the file name of the form, if it is one.</param>
    /// <response code="201">The file.</response>
    public static async Task<Created<PartResponse>> Add(
        string id, HttpContext http, IdempotentRequest first, Upload upload, PartLibrary parts, string? name = null)
    {
        first.AnswerWith<ModelPart>(part => KeptAnswer.Created(AddressOf(part), PartResponse.Of(part)));
        string? given = name is null ? null : PartName.Check(name);
        long limit = await parts.RoomAsync(id, given, http.RequestAborted);
        var (file, formName) = await upload.ReceiveAsync(http.Request, limit);
        await using (file)
        {
            var part = await parts.AddAsync(id, given ?? PartName.Check(formName), file, http.RequestAborted);
            return TypedResults.Created(AddressOf(part), PartResponse.Of(part));
        }
    }

    /// <summary>Downloads one file of a model of several files.</summary>
    /// <remarks>`Range`, `If-Range` and `If-None-Match` as for `/v1/models/{id}/content`.</remarks>
    /// <param name="id">The model.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="http">The request.</param>
    /// <param name="library">The models.</param>
    /// <param name="store">The artifacts.</param>
    /// <response code="200">The bytes.</response>
    /// <response code="206">The bytes of the range.</response>
    /// <response code="304">The client has them (`If-None-Match`).</response>
    public static async Task<FileStreamHttpResult> Get(string id, string name, HttpContext http, ModelLibrary library, ArtifactStore store)
    {
        var model = await library.GetAsync(id, http.RequestAborted);
        var part = model.Parts.Find(part => string.Equals(part.Name, name, StringComparison.Ordinal)) ?? throw PartLibrary.NoPart(id, name);
        return await ModelEndpoints.SendAsync(http, store, model, part.Sha256, part.Name);
    }

    /// <summary>Takes a file away from a model that is not committed yet.</summary>
    /// <param name="id">The model.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="parts">The models of several files.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="204">It is gone.</response>
    public static async Task<NoContent> Remove(string id, string name, PartLibrary parts, CancellationToken cancellationToken)
    {
        await parts.RemoveAsync(id, name, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary>Commits a model of several files: from now on they are one model, and nothing about them changes.</summary>
    /// <remarks>
    /// The main file is found: the ONNX graph, the index of the shards, or the only file there is. Every file that it refers to must be there, and none besides; otherwise
    /// `errors` names each, the model stays `receiving`, and can be mended. The weights are read afterwards (`validating → ready | rejected`).
    /// </remarks>
    /// <param name="id">The model.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="parts">The models of several files.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="202">The model, `validating`.</response>
    public static async Task<Accepted<ModelResponse>> Commit(string id, IdempotentRequest first, PartLibrary parts, CancellationToken cancellationToken)
    {
        first.AnswerWith<StoredModel>(committed => KeptAnswer.Accepted($"/v1/models/{id}", ModelResponse.Of(committed)));
        var model = await parts.CommitAsync(id, cancellationToken);
        return TypedResults.Accepted($"/v1/models/{id}", ModelResponse.Of(model));
    }

    private static string AddressOf(ModelPart part) => $"/v1/models/{part.ModelId}/parts/{Uri.EscapeDataString(part.Name)}";
}
