using Condense.Service.Access;
using Condense.Service.Isolation;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;
using Quartz;

namespace Condense.Service.Library;

/// <summary>
/// Makes the dense form of a model. Runs again after a crash; what fails through our fault is tried again as soon as somebody asks for the form again.
/// </summary>
internal sealed class ExpansionJob(
    CondenseDbContext db, ModelLibrary library, FormLibrary forms, ArtifactStore store, SideWork side, DataFolder folder, Caller caller, ILogger<ExpansionJob> logger) : IJob
{
    /// <summary>The one durable Quartz job; each model is a trigger of it.</summary>
    public static readonly JobKey Key = new("expand");

    /// <inheritdoc/>
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        string id = WorkTriggers.SubjectOf(context);
        var form = await db.Forms.IgnoreQueryFilters().AsNoTracking().SingleOrDefaultAsync(row => row.ModelId == id && row.State == FormState.Making, cancellationToken);
        if (form is null)
        {
            return;
        }

        caller.Become(form.TenantId);
        try
        {
            await MakeAsync(await library.GetAsync(id, cancellationToken), cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A weight that does not fit into a job's memory will not fit the next time either.
            var fault = Fault.Of(exception);
            if (!fault.IsOurs || exception is ChildDiedException { RanOutOfMemory: true })
            {
                await forms.RefuseAsync(id, fault, cancellationToken);
                return;
            }

            LibraryLog.ExpansionFailed(logger, exception, id);
        }
    }

    private async Task MakeAsync(StoredModel model, CancellationToken cancellationToken)
    {
        string source = await db.Jobs.Where(job => job.Id == model.SourceJobId).Select(job => job.ModelId).SingleAsync(cancellationToken);
        var original = await db.Models.AsNoTracking().SingleOrDefaultAsync(row => row.Id == source, cancellationToken) ?? throw new ProblemException(
            ProblemKind.NotFound, $"The dense form of {model.Id} is made of {source}, the model that was compressed, and that has been deleted.");
        string work = Directory.CreateDirectory(folder.JobFolder($"{model.Id}{WorkFolders.SideMark}dense")).FullName;
        try
        {
            using var compressed = await library.FetchAsync(model, cancellationToken);
            using var before = await library.FetchAsync(original, cancellationToken);
            string output = Path.Combine(work, "dense");
            var task = new ExpandTask { Input = compressed.Parts, Original = before.Parts, Output = output };
            if (await side.TryRunAsync(model.TenantId, task, cancellationToken) is null)
            {
                return;
            }

            if (ResultParts.Of(output).Others.Count > 0)
            {
                throw new ProblemException(
                    ProblemKind.UnsupportedFormat, $"The dense form of {model.Id} has more weights than one ONNX file can hold, which is 2 GiB.");
            }

            await using var file = await store.StageFileAsync(output, cancellationToken);
            await forms.KeepAsync(model.Id, file, cancellationToken);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }
}
