using Condense.Service.Hosting;
using Condense.Service.Problems;
using Microsoft.OpenApi;

namespace Condense.Service.Idempotency;

/// <summary>The headers of every POST.</summary>
internal static class IdempotencyFields
{
    /// <summary>Names a request.</summary>
    public static RequestField Key { get; } = new(
        IdempotencyMiddleware.Header,
        "A name for this request, for example a UUID. Sent again with the same name, it is not carried out again: the first answer is kept for 24 hours and comes again, with `Idempotent-Replayed: true`. A refusal that would be the same each time is kept, too: who has mended what was refused takes a new name.",
        new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdempotencyMiddleware.MaxLength })
    {
        Refusals = [ProblemKind.MalformedHeader, ProblemKind.IdempotencyInProgress, ProblemKind.IdempotencyKeyReused],
    };

    /// <summary>Tells an answer that is given again.</summary>
    public static ResponseField Replayed { get; } = new("Idempotent-Replayed", "`true`: this is the kept answer to the first request with this `Idempotency-Key`.", ResponseField.Text("true"))
    {
        On = status => status is (>= 200 and < 300) or (>= 400 and < 500 and not (401 or 403 or 408 or 413 or 429)),
    };
}
