using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Idempotency;

/// <summary>
/// The request of this scope, if it named a key: its claim on the key, and the answer that commits together with what the request makes. A crash
/// before the commit leaves neither, a crash after it both.
/// </summary>
internal sealed class IdempotentRequest(CondenseDbContext db)
{
    private Delegate? _answer;

    /// <summary>The claim; null when the request named no key.</summary>
    public Claim? Held { get; set; }

    /// <summary>The answer that has been recorded in a transaction; it counts once that has committed.</summary>
    public KeptAnswer? Recorded { get; private set; }

    /// <summary>Says how to tell of what a transaction makes: the first transaction of this request that returns a <typeparamref name="T"/> records the answer.</summary>
    public void AnswerWith<T>(Func<T, KeptAnswer> answer) => _answer = answer;

    /// <summary>Called by every write transaction before its commit.</summary>
    /// <exception cref="ProblemException">The claim has run out and another request has taken the key: nothing may be committed.</exception>
    public async Task RecordAsync<T>(T result, CancellationToken cancellationToken)
    {
        if (Held is { } claim && _answer is Func<T, KeptAnswer> answer && result is not null)
        {
            Recorded = answer(result);
            await KeepAsync(claim, Recorded, cancellationToken);
        }
    }

    /// <summary>Writes an answer to the claimed row. Only inside a transaction.</summary>
    /// <exception cref="ProblemException">The claim has run out and another request has taken the key.</exception>
    public async Task KeepAsync(Claim claim, KeptAnswer answer, CancellationToken cancellationToken)
    {
        string digest = claim.RequestDigest();
        string headers = answer.HeadersJson();
        string? body = claim.KeepsBody || answer.Status >= StatusCodes.Status400BadRequest ? answer.Body : null;
        int kept = await db.IdempotencyRecords
            .Where(row => row.Key == claim.Key && row.CreatedAt == claim.CreatedAt)
            .ExecuteUpdateAsync(
                set => set.SetProperty(row => row.Status, answer.Status)
                    .SetProperty(row => row.HeadersJson, headers)
                    .SetProperty(row => row.Body, body)
                    .SetProperty(row => row.RequestSha256, digest),
                cancellationToken);
        if (kept == 0)
        {
            throw new ProblemException(
                ProblemKind.IdempotencyInProgress, $"This request was silent for too long, and another one with the Idempotency-Key \"{claim.Key}\" has taken its place. Ask again.");
        }
    }

    /// <summary>A request's hold on a key.</summary>
    /// <param name="Key">The key.</param>
    /// <param name="CreatedAt">When it was claimed; tells claims of the same key apart.</param>
    /// <param name="KeepsBody">Whether the body of the answer may be kept.</param>
    /// <param name="RequestDigest">The digest of the request, as far as it has been read.</param>
    internal sealed record Claim(string Key, DateTimeOffset CreatedAt, bool KeepsBody, Func<string> RequestDigest);
}
