using System.Text.Json;
using Condense.Models;
using Condense.Pipeline.Reports;
using Condense.Service.Access;
using Condense.Service.Isolation;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Condense.Service.Webhooks;
using Microsoft.EntityFrameworkCore;
using Quartz;

namespace Condense.Service.Library;

/// <summary>Reads every weight of an uploaded model and says what it is: <c>validating → ready | rejected</c>. Runs again after a crash.</summary>
internal sealed class InspectionJob(
    CondenseDbContext db, WriteTransaction transaction, ModelLibrary library, SideWork work, Outbox outbox, Caller caller, TimeProvider clock,
    ILogger<InspectionJob> logger) : IJob
{
    /// <summary>The one durable Quartz job; each model is a trigger of it.</summary>
    public static readonly JobKey Key = new("inspect");

    /// <summary>Tries of one delivery; an unread model is delivered again half a minute later.</summary>
    private const int Attempts = 3;

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        string id = WorkTriggers.SubjectOf(context);
        for (int attempt = 1; attempt <= Attempts; attempt++)
        {
            var model = await db.Models.IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.State == ModelState.Validating, cancellationToken);
            if (model is null)
            {
                return;
            }

            caller.Become(model.TenantId);
            try
            {
                using var files = await library.FetchAsync(model, cancellationToken);
                if (await work.TryRunAsync(model.TenantId, new InspectTask { Input = files.Parts }, cancellationToken) is { } made)
                {
                    await AcceptAsync(id, made.Description!, cancellationToken);
                }

                return;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                var fault = Fault.Of(exception);
                if (fault.IsOurs)
                {
                    LibraryLog.InspectionFailed(logger, exception, id, attempt);
                }

                if (!fault.IsOurs || (attempt == Attempts && IsOfTheModel(exception, fault)))
                {
                    await RejectAsync(model, new ModelFinding(fault.Kind.Code, fault.Detail, fault.Layer), cancellationToken);
                    return;
                }
            }

            await Task.Delay(s_retryDelay * attempt, clock, cancellationToken);
        }
    }

    /// <summary>
    /// Whether it is this model that can't be read here, and will not be the next time: its reader fails or dies of it. What fails around the reader, a full
    /// disk or a database that is away, passes: the model waits for that.
    /// </summary>
    private static bool IsOfTheModel(Exception exception, Fault fault) => exception is ChildFaultException or ChildDiedException && fault.Kind != ProblemKind.StorageFull;

    /// <summary>Sets what an inspection found on a model's row.</summary>
    public static void Describe(StoredModel model, ModelDescription description)
    {
        model.State = description.Rejected ? ModelState.Rejected : ModelState.Ready;
        model.ParameterCount = description.ParameterCount;
        model.GraphJson = JsonSerializer.Serialize(new GraphDescription(description.Opsets, description.Inputs, description.Outputs), ReportJson.Options);
        model.FindingsJson = JsonSerializer.Serialize(description.Findings, ReportJson.Options);
    }

    /// <summary>The row with a model's layers.</summary>
    public static StoredInspection LayersOf(string modelId, ModelDescription description) =>
        new() { ModelId = modelId, LayersJson = JsonSerializer.Serialize(description.Layers, ReportJson.Options) };

    private Task<bool> AcceptAsync(string id, ModelDescription description, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                var model = await db.Models.SingleOrDefaultAsync(row => row.Id == id && row.State == ModelState.Validating, cancel);
                if (model is null)
                {
                    return false;
                }

                Describe(model, description);
                db.Add(LayersOf(id, description));
                await outbox.AddAsync(model, model.State, clock.GetUtcNow(), cancel);
                return true;
            },
            cancellationToken);

    private Task<bool> RejectAsync(StoredModel model, ModelFinding finding, CancellationToken cancellationToken)
    {
        string findings = JsonSerializer.Serialize(new[] { finding }, ReportJson.Options);
        return transaction.RunAsync(
            async cancel =>
            {
                int changed = await db.Models.Where(row => row.Id == model.Id && row.State == ModelState.Validating).ExecuteUpdateAsync(
                    set => set.SetProperty(row => row.State, ModelState.Rejected).SetProperty(row => row.FindingsJson, findings), cancel);
                if (changed == 0)
                {
                    return false;
                }

                await outbox.AddAsync(model, ModelState.Rejected, clock.GetUtcNow(), cancel);
                return true;
            },
            cancellationToken);
    }
}
