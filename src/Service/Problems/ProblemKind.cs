using System.Reflection;

namespace Condense.Service.Problems;

/// <summary>A kind of problem: the stable word that clients branch on, and what goes with it.</summary>
/// <param name="Code">The stable word.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Title">The same sentence for every occurrence.</param>
/// <param name="Retryable">Whether the same request may succeed later.</param>
internal sealed record ProblemKind(string Code, int Status, string Title, bool Retryable = false)
{
    /// <summary>The body is not JSON.</summary>
    public static readonly ProblemKind MalformedJson = new("malformed_json", 400, "The body is not well-formed JSON.");

    /// <summary>A header or the request line can't be understood.</summary>
    public static readonly ProblemKind MalformedHeader = new("malformed_header", 400, "A header can't be understood.");

    /// <summary>The bytes are not those that were announced.</summary>
    public static readonly ProblemKind DigestMismatch = new("digest_mismatch", 400, "The bytes are not those that the digest announced.", Retryable: true);

    /// <summary>No key, or one that is not known.</summary>
    public static readonly ProblemKind Unauthenticated = new("unauthenticated", 401, "A valid key is needed.");

    /// <summary>A key beyond its end.</summary>
    public static readonly ProblemKind KeyExpired = new("key_expired", 401, "The key has expired.");

    /// <summary>A key that may do other things.</summary>
    public static readonly ProblemKind InsufficientScope = new("insufficient_scope", 403, "The key does not have the scope that this needs.");

    /// <summary>A page of another site, or a name that is not this machine's, sent the request.</summary>
    public static readonly ProblemKind ForbiddenOrigin = new("forbidden_origin", 403, "Requests from other origins are not answered.");

    /// <summary>The bytes of one request of an upload are not those that were announced; the status is the tus protocol's own.</summary>
    public static readonly ProblemKind ChecksumMismatch = new("checksum_mismatch", 460, "The bytes are not those that the checksum announced.", Retryable: true);

    /// <summary>The body came too slowly.</summary>
    public static readonly ProblemKind RequestTimeout = new("request_timeout", 408, "The body came too slowly.", Retryable: true);

    /// <summary>There is no such thing.</summary>
    public static readonly ProblemKind NotFound = new("not_found", 404, "There is no such resource.");

    /// <summary>The address exists, the method does not.</summary>
    public static readonly ProblemKind MethodNotAllowed = new("method_not_allowed", 405, "The address does not take this method.");

    /// <summary>No representation that the client accepts.</summary>
    public static readonly ProblemKind NotAcceptable = new("not_acceptable", 406, "There is no representation of an accepted type.");

    /// <summary>The model is being validated, or was rejected.</summary>
    public static readonly ProblemKind ModelNotReady = new("model_not_ready", 409, "The model is not ready.", Retryable: true);

    /// <summary>The job is in a terminal state.</summary>
    public static readonly ProblemKind JobAlreadyFinished = new("job_already_finished", 409, "The job has finished already.");

    /// <summary>The job is not in a terminal state.</summary>
    public static readonly ProblemKind JobNotFinished = new("job_not_finished", 409, "The job has not finished yet.", Retryable: true);

    /// <summary>The model is whole: its files can't be changed any more.</summary>
    public static readonly ProblemKind ModelCommitted = new("model_committed", 409, "The files of the model can't be changed any more.");

    /// <summary>The upload goes on elsewhere.</summary>
    public static readonly ProblemKind UploadOffsetMismatch = new("upload_offset_mismatch", 409, "The upload is at another byte.");

    /// <summary>It came to no end in time.</summary>
    public static readonly ProblemKind Expired = new("expired", 410, "The resource has expired.");

    /// <summary>An unfinished job needs it.</summary>
    public static readonly ProblemKind ResourceInUse = new("resource_in_use", 409, "The resource is in use.", Retryable: true);

    /// <summary>The first request with this idempotency key runs.</summary>
    public static readonly ProblemKind IdempotencyInProgress = new("idempotency_in_progress", 409, "The first request with this idempotency key is still running.", Retryable: true);

    /// <summary>The answer to the first request with this idempotency key was shown once.</summary>
    public static readonly ProblemKind IdempotencyAnswerSecret = new("idempotency_answer_secret", 409, "The answer to the first request with this idempotency key held a secret and was not kept.");

    /// <summary>Nothing is sent to a disabled endpoint.</summary>
    public static readonly ProblemKind WebhookDisabled = new("webhook_disabled", 409, "The webhook endpoint is disabled.");

    /// <summary>A condition of the request does not hold.</summary>
    public static readonly ProblemKind PreconditionFailed = new("precondition_failed", 412, "A condition of the request does not hold.");

    /// <summary>More bytes than are accepted.</summary>
    public static readonly ProblemKind PayloadTooLarge = new("payload_too_large", 413, "The request has more bytes than are accepted.");

    /// <summary>The body's type is not taken here.</summary>
    public static readonly ProblemKind UnsupportedMediaType = new("unsupported_media_type", 415, "The content type is not taken here.");

    /// <summary>The range lies outside the content.</summary>
    public static readonly ProblemKind RangeNotSatisfiable = new("range_not_satisfiable", 416, "The range lies outside the content.");

    /// <summary>Fields that can't be used.</summary>
    public static readonly ProblemKind InvalidField = new("invalid_field", 422, "The request has fields that can't be used.");

    /// <summary>The idempotency key of another request.</summary>
    public static readonly ProblemKind IdempotencyKeyReused = new("idempotency_key_reused", 422, "The idempotency key belongs to another request.");

    /// <summary>A pattern that no layer matches.</summary>
    public static readonly ProblemKind UnknownLayer = new("unknown_layer", 422, "The request names layers that the model does not have.");

    /// <summary>A target that can't be reached.</summary>
    public static readonly ProblemKind InfeasibleTarget = new("infeasible_target", 422, "The target can't be reached.");

    /// <summary>A method that does not apply.</summary>
    public static readonly ProblemKind IncompatibleMethod = new("incompatible_method", 422, "The request asks for what does not apply.");

    /// <summary>An operator that the opset asked for can't express.</summary>
    public static readonly ProblemKind UnsupportedOperator = new("unsupported_operator", 422, "The model has an operator that the opset asked for can't express.");

    /// <summary>A format that is not read.</summary>
    public static readonly ProblemKind UnsupportedFormat = new("unsupported_format", 422, "The file is of no format that is read here.");

    /// <summary>A broken file.</summary>
    public static readonly ProblemKind CorruptModel = new("corrupt_model", 422, "The model file is broken.");

    /// <summary>Files of a model that do not belong together.</summary>
    public static readonly ProblemKind PartsMismatch = new("parts_mismatch", 422, "The files of the model don't fit together.");

    /// <summary>External data outside its place.</summary>
    public static readonly ProblemKind UnsafeExternalData = new("unsafe_external_data", 422, "The model's external data is not safe to read.");

    /// <summary>A pickle that could run code.</summary>
    public static readonly ProblemKind UnsafePickle = new("unsafe_pickle", 422, "The file holds a pickle that does more than hold tensors.");

    /// <summary>An archive that unpacks to more than is accepted.</summary>
    public static readonly ProblemKind ArchiveBomb = new("archive_bomb", 422, "The archive unpacks to more than is accepted.");

    /// <summary>NaN or infinities among the weights.</summary>
    public static readonly ProblemKind NonFiniteWeights = new("non_finite_weights", 422, "A weight is not a finite number.");

    /// <summary>A client that asks too often.</summary>
    public static readonly ProblemKind RateLimited = new("rate_limited", 429, "There are too many requests.", Retryable: true);

    /// <summary>A tenant that has as much as it may have.</summary>
    public static readonly ProblemKind QuotaExceeded = new("quota_exceeded", 429, "A quota of the tenant is used up.");

    /// <summary>An address that webhooks are not sent to.</summary>
    public static readonly ProblemKind WebhookUrlForbidden = new("webhook_url_forbidden", 422, "Webhooks are not sent to this address.");

    /// <summary>Our fault.</summary>
    public static readonly ProblemKind Internal = new("internal", 500, "Something went wrong here, not in the request.", Retryable: true);

    /// <summary>The written result is not what was computed.</summary>
    public static readonly ProblemKind VerificationFailed = new("verification_failed", 500, "The result differs from what was computed, and was thrown away.", Retryable: true);

    /// <summary>The worker ran out of memory.</summary>
    public static readonly ProblemKind OutOfMemory = new("out_of_memory", 500, "The memory did not suffice.", Retryable: true);

    /// <summary>The process died at the same job several times.</summary>
    public static readonly ProblemKind WorkerCrashedRepeatedly = new("worker_crashed_repeatedly", 500, "The worker died several times at this job.");

    /// <summary>The user's own limit.</summary>
    public static readonly ProblemKind MaxSecondsExceeded = new("max_seconds_exceeded", 422, "The job ran longer than it may.");

    /// <summary>The database does not answer.</summary>
    public static readonly ProblemKind DatabaseUnavailable = new("database_unavailable", 503, "The database does not answer.", Retryable: true);

    /// <summary>The service is stopping.</summary>
    public static readonly ProblemKind Draining = new("draining", 503, "The service is stopping.", Retryable: true);

    /// <summary>The disk is full.</summary>
    public static readonly ProblemKind StorageFull = new("storage_full", 507, "The disk is full.", Retryable: true);

    private static readonly Lazy<Dictionary<string, ProblemKind>> s_all = new(() => typeof(ProblemKind)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (ProblemKind)field.GetValue(null)!)
        .ToDictionary(kind => kind.Code, StringComparer.Ordinal));

    /// <summary>How recipes are refused.</summary>
    public static IReadOnlyList<ProblemKind> OfRecipes { get; } = [InvalidField, UnknownLayer, InfeasibleTarget, IncompatibleMethod, NonFiniteWeights];

    /// <summary>How files are refused that are no model, or none that is safe to read.</summary>
    public static IReadOnlyList<ProblemKind> OfModels { get; } =
        [UnsupportedFormat, UnsupportedOperator, CorruptModel, UnsafePickle, UnsafeExternalData, ArchiveBomb];

    /// <summary>The kind of that word.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static ProblemKind OfCode(string code) =>
        s_all.Value.GetValueOrDefault(code) ?? throw new ArgumentException($"There is no problem of the kind {code}.", nameof(code));

    /// <summary>The kind that a recipe's refusal names.</summary>
    public static ProblemKind OfRecipe(string code) =>
        OfRecipes.FirstOrDefault(kind => string.Equals(kind.Code, code, StringComparison.Ordinal)) ?? InvalidField;

    /// <summary>The kind for a bare status from the framework.</summary>
    public static ProblemKind OfStatus(int status) => status switch
    {
        400 or 414 or 431 => MalformedHeader,
        408 => RequestTimeout,
        403 => ForbiddenOrigin,
        404 => NotFound,
        405 => MethodNotAllowed,
        406 => NotAcceptable,
        412 => PreconditionFailed,
        413 => PayloadTooLarge,
        415 => UnsupportedMediaType,
        416 => RangeNotSatisfiable,
        _ => Internal,
    };
}
