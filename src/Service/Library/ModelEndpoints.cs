using Condense.Service.Access;
using Condense.Service.Hosting;
using Condense.Service.Idempotency;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Condense.Service.Library;

/// <summary>The addresses under <c>/v1/models</c>.</summary>
internal static class ModelEndpoints
{
    /// <summary>Adds them.</summary>
    public static void MapModels(this RouteGroupBuilder group)
    {
        var models = group.MapGroup("/models").WithTags("Models");
        models.MapPost("/", Create).WithName("CreateModel").Needs(Scope.ModelsWrite).WithUpload(Upload.OctetStream, Upload.Form)
            .Reads(ContentDigest.Field).Queries(QueryField.Metadata).Fails([ProblemKind.InvalidField, .. ProblemKind.OfModels]);
        models.MapGet("/", List).WithName("ListModels").Needs(Scope.ModelsRead)
            .Queries(QueryField.Words("state", ListQuery.Words<ModelState>()), QueryField.Sha256, QueryField.CreatedAfter);
        models.MapGet("/{id}", Get).WithName("GetModel").Needs(Scope.ModelsRead).Sends(ResponseField.RetryAfter);
        models.MapPatch("/{id}", Patch).WithName("UpdateModel").Needs(Scope.ModelsWrite).Accepts<ModelPatch>(ModelPatch.ContentType, "application/json")
            .Reads(RequestField.IfMatch).Sends(ResponseField.ETag).Fails(ProblemKind.ResourceInUse);
        models.MapDelete("/{id}", Delete).WithName("DeleteModel").Needs(Scope.ModelsWrite).Reads(RequestField.IfMatch).Fails(ProblemKind.ResourceInUse);
        models.MapGet("/{id}/layers", GetLayers).WithName("GetModelLayers").Needs(Scope.ModelsRead).Fails(ProblemKind.ModelNotReady);
        models.MapMethods("/{id}/content", [HttpMethods.Get, HttpMethods.Head], GetContent).WithName("GetModelContent").Needs(Scope.ModelsRead)
            .WithDownload(202, 206, 304).Queries(QueryField.Words("form", ListQuery.Words<ModelForm>())).Sends(DownloadFields.Digest).Sends(ResponseField.RetryAfter)
            .Fails(ProblemKind.InvalidField, ProblemKind.ModelNotReady, ProblemKind.StorageFull, ProblemKind.UnsupportedFormat, ProblemKind.CorruptModel);
        models.MapMethods("/{id}/tensors/{**name}", [HttpMethods.Get, HttpMethods.Head], TensorEndpoint.Get).WithName("GetModelTensor").Needs(Scope.ModelsRead)
            .WithDownload(206, 304).Fails(ProblemKind.ModelNotReady, ProblemKind.IncompatibleMethod, ProblemKind.StorageFull);
    }

    /// <summary>Uploads a model.</summary>
    /// <remarks>
    /// The file is the body itself (`application/octet-stream`), or the one file of a form (`multipart/form-data`). It is streamed to the disk, and the
    /// format is found from its bytes: ONNX, safetensors, NumPy (`.npy`, `.npz`) or a PyTorch checkpoint. A broken file is refused at once and nothing is left; the weights are read
    /// afterwards (`validating → ready | rejected`). `?metadata.git=4f2a` gives it names and values of your own. With `Content-Digest: sha-256=:…:` the bytes are verified on arrival.
    ///
    /// To try it here, choose `samples/moby-dick-lstm.onnx` of the repository. A browser page is not meant for gigabytes: use
    /// `curl --data-binary @model.onnx -H 'Content-Type: application/octet-stream'` for large files; `POST /v1/uploads` takes uploads that can be resumed.
    ///
    /// With `?parts=true` there is no body: the model is `receiving`, takes its files one by one at `POST /v1/models/{id}/parts`, and is whole with
    /// `POST /v1/models/{id}/commit`.
    /// </remarks>
    /// <param name="http">The request.</param>
    /// <param name="first">The answer, if it is to be kept.</param>
    /// <param name="upload">Receives the file.</param>
    /// <param name="library">The models.</param>
    /// <param name="receiving">Takes the files of models of several files.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="name">What people shall call it, at most 200 characters. Default: the file name of the form, if it is one.</param>
    /// <param name="parts">Whether the model has several files, which come one by one.</param>
    /// <response code="201">The model, `validating` or `receiving`.</response>
    public static async Task<Created<ModelResponse>> Create(
        HttpContext http,
        IdempotentRequest first,
        Upload upload,
        ModelLibrary library,
        PartLibrary receiving,
        IOptions<LimitsOptions> limits,
        string? name = null,
        bool parts = false)
    {
        first.AnswerWith<StoredModel>(model => KeptAnswer.Created($"/v1/models/{model.Id}", ModelResponse.Of(model)));
        string? given = ResourceName.Check(name);
        var metadata = ClientMetadata.OfQuery(http.Request);
        if (parts)
        {
            if (http.Request.ContentLength > 0 || http.Request.Headers.TransferEncoding.Count > 0)
            {
                throw ProblemException.Field("?parts", "With parts=true there is no body: each file goes to POST /v1/models/{id}/parts?name=….");
            }

            var begun = await receiving.CreateAsync(given, metadata, http.RequestAborted);
            return TypedResults.Created($"/v1/models/{begun.Id}", ModelResponse.Of(begun));
        }

        var (file, formName) = await upload.ReceiveAsync(http.Request, limits.Value.ModelBytes);
        await using (file)
        {
            var model = await library.AddAsync(file, given ?? ResourceName.Check(formName), metadata, http.RequestAborted);
            return TypedResults.Created($"/v1/models/{model.Id}", ModelResponse.Of(model));
        }
    }

    /// <summary>Lists models, newest first.</summary>
    /// <param name="http">The request.</param>
    /// <param name="db">The tables.</param>
    /// <param name="state">Only models in this state.</param>
    /// <param name="sha256">Only models with this SHA-256, in hex: whether a file has been uploaded already.</param>
    /// <param name="createdAfter">Only models stored later than this moment, for example `2026-11-22T12:00:00Z`.</param>
    /// <param name="limit">Items of the page, 1 to 100. Default 20.</param>
    /// <param name="cursor">The `nextCursor` of the page before.</param>
    /// <response code="200">A page; the header `Link` names the next one.</response>
    public static async Task<Ok<Page<ModelResponse>>> List(
        HttpContext http, CondenseDbContext db, string? state = null, string? sha256 = null, string? createdAfter = null, int? limit = null, string? cursor = null)
    {
        ListQuery.Check(http.Request, nameof(state), nameof(sha256), nameof(createdAfter));
        var filter = new ModelFilter(
            ListQuery.Word<ModelState>(nameof(state), state), ListQuery.Sha256(nameof(sha256), sha256), ListQuery.Moment(nameof(createdAfter), createdAfter));
        return TypedResults.Ok(await Page.ReadAsync(before => filter.Rows(db, before), limit, cursor, model => model.Id, ModelResponse.Of, http));
    }

    /// <summary>Fetches a model.</summary>
    /// <param name="id">The model.</param>
    /// <param name="http">The request.</param>
    /// <param name="library">The models.</param>
    /// <response code="200">The model.</response>
    public static async Task<Ok<ModelResponse>> Get(string id, HttpContext http, ModelLibrary library)
    {
        var model = await library.GetAsync(id, http.RequestAborted);
        if (model.State == ModelState.Validating)
        {
            http.Response.Headers.RetryAfter = "1";
        }

        return TypedResults.Ok(ModelResponse.Of(model));
    }

    /// <summary>Changes a model's name and metadata.</summary>
    /// <remarks>JSON Merge Patch (RFC 7396): what is absent stays, null takes away. With `If-Match`, only the version that the client knows is changed.</remarks>
    /// <param name="id">The model.</param>
    /// <param name="patch">The change.</param>
    /// <param name="http">The request.</param>
    /// <param name="changes">Makes it.</param>
    /// <response code="200">The model after it.</response>
    public static async Task<Ok<ModelResponse>> Patch(string id, ModelPatch patch, HttpContext http, ModelChanges changes)
    {
        var model = await changes.ApplyAsync(
            id, patch, known => DocumentTags.RequireMatch(http.Request, DocumentTags.Of(ModelResponse.Of(known))), http.RequestAborted);
        var response = ModelResponse.Of(model);
        http.Response.Headers.ETag = DocumentTags.Of(response);
        return TypedResults.Ok(response);
    }

    /// <summary>Deletes a model.</summary>
    /// <remarks>Refused while an unfinished job uses it. The bytes go with the last model that has them. With `If-Match`, only the version that the client knows is deleted.</remarks>
    /// <param name="id">The model.</param>
    /// <param name="http">The request.</param>
    /// <param name="library">The models.</param>
    /// <response code="204">It is gone.</response>
    public static async Task<NoContent> Delete(string id, HttpContext http, ModelLibrary library)
    {
        if (http.Request.Headers.IfMatch.Count > 0)
        {
            DocumentTags.RequireMatch(http.Request, DocumentTags.Of(ModelResponse.Of(await library.GetAsync(id, http.RequestAborted))));
        }

        await library.RemoveAsync(id, http.RequestAborted);
        return TypedResults.NoContent();
    }

    /// <summary>Lists the compressible layers of a model.</summary>
    /// <remarks>Name, role, operator, shape, type, bytes, norm, sparsity, and the methods that apply: the names that a job's `layers` and `keep` match.</remarks>
    /// <param name="id">The model.</param>
    /// <param name="library">The models.</param>
    /// <param name="db">The tables.</param>
    /// <param name="cancellationToken">The request's end.</param>
    /// <response code="200">The layers, in the order of the file.</response>
    public static async Task<Ok<LayerList>> GetLayers(string id, ModelLibrary library, CondenseDbContext db, CancellationToken cancellationToken)
    {
        var model = await library.GetAsync(id, cancellationToken);
        RequireReady(model);
        var inspection = await db.Inspections.AsNoTracking().SingleAsync(row => row.ModelId == id, cancellationToken);
        return TypedResults.Ok(LayerList.Of(inspection));
    }

    /// <summary>Downloads a model's bytes.</summary>
    /// <remarks>
    /// Of a model of several files this is the main one; the others are at `/v1/models/{id}/parts/{name}`.
    /// `Range` (also `bytes=-100`), `If-Range`, `If-None-Match`; the strong `ETag` is the SHA-256, and so is `Repr-Digest`. A request
    /// for several ranges is answered with the whole. A browser page is not meant for gigabytes: use curl for large files.
    ///
    /// `?form=dense` is the model that was compressed, with the weights of this one: the names, shapes and operators that it had, for tools that know no factors. A worker makes
    /// it when it is first asked for; ask again after `Retry-After` until the answer is 200. Only results of jobs have it, and only as long as the model
    /// that was compressed has not been deleted before.
    /// </remarks>
    /// <param name="id">The model.</param>
    /// <param name="http">The request.</param>
    /// <param name="library">The models.</param>
    /// <param name="forms">Their other forms.</param>
    /// <param name="store">The artifacts.</param>
    /// <param name="form">`portable`, as the model is stored, or `dense`. Default: `portable`.</param>
    /// <response code="200">The bytes.</response>
    /// <response code="202">The form is being made; nothing of it yet.</response>
    /// <response code="206">The bytes of the range.</response>
    /// <response code="304">The client has them (`If-None-Match`).</response>
    public static async Task<Results<FileStreamHttpResult, Accepted>> GetContent(
        string id, HttpContext http, ModelLibrary library, FormLibrary forms, ArtifactStore store, string? form = null)
    {
        var wanted = ListQuery.Word<ModelForm>(nameof(form), form) ?? ModelForm.Portable;
        var model = await library.GetAsync(id, http.RequestAborted);
        if (model.Sha256 is null)
        {
            throw new ProblemException(ProblemKind.ModelNotReady, $"The model {id} is still being received.");
        }

        string? sha256 = wanted == ModelForm.Dense ? await forms.FindDenseAsync(model, http.RequestAborted) : model.Sha256;
        if (sha256 is null)
        {
            http.Response.Headers.RetryAfter = "1";
            return TypedResults.Accepted((string?)null);
        }

        http.Response.Headers.CacheControl = "private, max-age=31536000, immutable";
        return await SendAsync(http, store, model, sha256, wanted == ModelForm.Dense ? $"{model.Id}-dense{ExtensionOf(model)}" : FileNameOf(model));
    }

    /// <summary>Sends a file of a model.</summary>
    public static async Task<FileStreamHttpResult> SendAsync(HttpContext http, ArtifactStore store, StoredModel model, string sha256, string fileName)
    {
        var bytes = await store.OpenReadAsync(sha256, http.RequestAborted) ?? throw ModelLibrary.NoModel(model.Id);
        http.Response.Headers[ContentDigest.RepresentationField] = ContentDigest.Format(sha256);
        return TypedResults.Stream(bytes, Upload.OctetStream, fileName, lastModified: null, new EntityTagHeaderValue($"\"sha256-{sha256}\""), enableRangeProcessing: true);
    }

    /// <summary>Refuses what needs the weights of a model that has not been read, or can't be used.</summary>
    /// <exception cref="ProblemException">The model is not ready: <c>model_not_ready</c>.</exception>
    public static void RequireReady(StoredModel model)
    {
        if (model.State == ModelState.Receiving)
        {
            throw new ProblemException(
                ProblemKind.ModelNotReady, $"The model {model.Id} is still being received. Add its files, then POST /v1/models/{model.Id}/commit.");
        }

        if (model.State == ModelState.Validating)
        {
            throw new ProblemException(ProblemKind.ModelNotReady, $"The model {model.Id} is still being validated. Ask again when GET /v1/models/{model.Id} says ready.");
        }

        if (model.State == ModelState.Rejected)
        {
            throw new ProblemException(
                ProblemKind.ModelNotReady with { Retryable = false }, $"The model {model.Id} was rejected; its findings in GET /v1/models/{model.Id} say why.");
        }
    }

    private static string FileNameOf(StoredModel model)
    {
        if (model.Parts.Find(part => part.IsMain) is { } main)
        {
            // The others refer to each other by these names.
            return main.Name;
        }

        return model.Id + ExtensionOf(model);
    }

    private static string ExtensionOf(StoredModel model) => model.Format switch
    {
        Models.ModelFormat.Onnx => ".onnx",
        Models.ModelFormat.Npz => ".npz",
        Models.ModelFormat.Npy => ".npy",
        Models.ModelFormat.PyTorch => ".pt",
        _ => ".safetensors",
    };
}
