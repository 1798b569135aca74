using Condense.Pipeline.Stages;

namespace Condense.Service.Isolation;

/// <summary>What a child's words lead to.</summary>
/// <param name="Progress">Told how far it is; null: nobody.</param>
/// <param name="AnswerAsync">Answers what it asks.</param>
internal sealed record ChildRelay(IProgress<StageProgress>? Progress, Func<ChildMessage, CancellationToken, Task<ParentMessage>> AnswerAsync)
{
    /// <summary>For tasks that ask nothing.</summary>
    public static ChildRelay None { get; } = new(Progress: null, (message, _) => throw new InvalidOperationException($"A child that shares nothing asks for {message.Word}."));
}
