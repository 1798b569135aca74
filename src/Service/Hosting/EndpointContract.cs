using Condense.Service.Access;
using Condense.Service.Idempotency;
using Condense.Service.Library;
using Condense.Service.Problems;
using Microsoft.AspNetCore.Http.Metadata;
using DescribedEndpoint = Microsoft.AspNetCore.Mvc.ApiExplorer.ApiDescription;

namespace Condense.Service.Hosting;

/// <summary>What an endpoint reads, how it refuses, and what its answers have besides their bodies: what it says itself, and what follows from what it is.</summary>
internal sealed class EndpointContract
{
    private readonly List<RequestField> _reads;
    private readonly List<ResponseField> _sends;
    private readonly List<ProblemKind> _problems;

    /// <summary>Reads it off an endpoint.</summary>
    public EndpointContract(DescribedEndpoint endpoint)
    {
        var metadata = endpoint.ActionDescriptor.EndpointMetadata;
        string method = endpoint.HttpMethod ?? HttpMethods.Get;
        _reads = [.. metadata.OfType<RequestField>()];
        _sends = [.. metadata.OfType<ResponseField>()];
        _problems = [.. metadata.OfType<ProblemsDocument>().SelectMany(document => document.Kinds)];
        Queries = [.. metadata.OfType<QueryField>()];
        AddAccess(metadata.OfType<NeededScope>().LastOrDefault());
        AddBody(metadata);
        AddDocument(endpoint, metadata.OfType<BytesDocument>().Any());
        if (HttpMethods.IsPost(method))
        {
            _reads.Add(IdempotencyFields.Key);
            _sends.Add(IdempotencyFields.Replayed);
        }

        if (!HttpMethods.IsGet(method) && !HttpMethods.IsHead(method) && !HttpMethods.IsOptions(method))
        {
            _problems.Add(ProblemKind.StorageFull);
        }

        if (endpoint.RelativePath?.Contains('{', StringComparison.Ordinal) == true)
        {
            _problems.Add(ProblemKind.NotFound);
        }

        _sends.Add(ResponseField.Location);
        _problems.AddRange(_reads.SelectMany(field => field.Refusals));
        if (_reads.Contains(RequestField.Prefer))
        {
            _sends.Add(ResponseField.PreferenceApplied);
        }
    }

    /// <summary>The headers of its requests.</summary>
    public IEnumerable<RequestField> Reads => _reads.DistinctBy(read => read.Name, StringComparer.Ordinal);

    /// <summary>The parameters of its query that need more words.</summary>
    public IReadOnlyList<QueryField> Queries { get; private set; }

    /// <summary>How it refuses, by status.</summary>
    public IEnumerable<IGrouping<int, ProblemKind>> Problems =>
        _problems.DistinctBy(kind => kind.Code, StringComparer.Ordinal).OrderBy(kind => kind.Code, StringComparer.Ordinal).GroupBy(kind => kind.Status).OrderBy(group => group.Key);

    /// <summary>The headers of its answers of one status.</summary>
    public IEnumerable<ResponseField> Sends(int status)
    {
        bool asksAgain = ProblemWriter.SaysWhen(status) && _problems.Exists(kind => kind.Status == status && kind.Retryable);
        return _sends.Where(field => field.On(status)).Concat(asksAgain ? [ResponseField.RetryAfter] : [])
            .DistinctBy(field => field.Name, StringComparer.Ordinal).OrderBy(field => field.Name, StringComparer.Ordinal);
    }

    /// <summary>What comes before the handler.</summary>
    private void AddAccess(NeededScope? needed)
    {
        if (needed is null)
        {
            return;
        }

        _problems.AddRange([
            ProblemKind.Unauthenticated, ProblemKind.KeyExpired, ProblemKind.ForbiddenOrigin, ProblemKind.RateLimited, ProblemKind.Internal, ProblemKind.DatabaseUnavailable,
        ]);
        if (needed.Scope is not null)
        {
            _problems.Add(ProblemKind.InsufficientScope);
        }

        _sends.AddRange([ResponseField.RateLimit, ResponseField.RateLimitPolicy, ResponseField.WwwAuthenticate]);
    }

    private void AddBody(IList<object> metadata)
    {
        bool isDocument = metadata.OfType<IAcceptsMetadata>().Any();
        var bytes = metadata.OfType<BodyDocument>().LastOrDefault();
        if (isDocument)
        {
            _problems.AddRange([ProblemKind.MalformedJson, ProblemKind.InvalidField]);
        }

        if (isDocument || bytes is not null)
        {
            _problems.AddRange([ProblemKind.RequestTimeout, ProblemKind.PayloadTooLarge, ProblemKind.UnsupportedMediaType]);
        }

        if (bytes?.Types.Contains(Upload.OctetStream, StringComparer.Ordinal) == true)
        {
            _problems.Add(ProblemKind.QuotaExceeded);
        }

        if (metadata.OfType<SecretAnswer>().Any())
        {
            _problems.Add(ProblemKind.IdempotencyAnswerSecret);
        }
    }

    /// <summary>What goes with a document that has a tag, with a page of a list, and with bytes.</summary>
    private void AddDocument(DescribedEndpoint endpoint, bool isBytes)
    {
        if (endpoint.SupportedResponseTypes.Any(type => type.StatusCode == StatusCodes.Status304NotModified))
        {
            _reads.Add(RequestField.IfNoneMatch);
            _sends.Add(ResponseField.ETag);
        }

        if (endpoint.SupportedResponseTypes.Any(type => type.Type is { IsGenericType: true } page && page.GetGenericTypeDefinition() == typeof(Page<>)))
        {
            Queries = [.. Queries, QueryField.Limit];
            _problems.Add(ProblemKind.InvalidField);
            _sends.Add(ResponseField.Link);
        }

        if (isBytes)
        {
            _reads.AddRange([RequestField.IfMatch, RequestField.Range, RequestField.IfRange]);
            _sends.AddRange(DownloadFields.All);
        }
    }
}
