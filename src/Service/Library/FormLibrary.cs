using Condense.Service.Access;
using Condense.Service.Jobs;
using Condense.Service.Problems;
using Condense.Service.Storage;
using Microsoft.EntityFrameworkCore;

namespace Condense.Service.Library;

/// <summary>Other forms of models: each is made by a worker when it is first asked for, and then kept as long as its model.</summary>
internal sealed class FormLibrary(CondenseDbContext db, WriteTransaction transaction, ArtifactStore store, WorkTriggers triggers, Caller caller, TimeProvider clock)
{
    /// <summary>The SHA-256 of a model's dense form.</summary>
    /// <param name="model">The model.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null while it is being made; whoever asks sees to it that it is.</returns>
    /// <exception cref="ProblemException">The model is no result of a job, or its dense form can't be made.</exception>
    public async Task<string?> FindDenseAsync(StoredModel model, CancellationToken cancellationToken)
    {
        if (model.SourceJobId is null)
        {
            throw ProblemException.Field("?form", $"The model {model.Id} was uploaded as it is: only results of jobs have another form. Leave `form` out.");
        }

        var form = await FindAsync(model.Id, cancellationToken);
        switch (form?.State)
        {
            case FormState.Ready:
                return form.Sha256;
            case FormState.Failed:
                throw new ProblemException(ProblemKind.OfCode(form.ProblemCode!), form.ProblemDetail!);
            default:
                await OrderAsync(model.Id, cancellationToken);
                return null;
        }
    }

    /// <summary>Keeps a form that has been made.</summary>
    /// <param name="modelId">The model.</param>
    /// <param name="file">Its bytes.</param>
    /// <param name="cancellationToken">Gives up; nothing is kept.</param>
    public Task<bool> KeepAsync(string modelId, StagedFile file, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async cancel =>
            {
                var form = await db.Forms.SingleOrDefaultAsync(row => row.ModelId == modelId && row.Form == ModelForm.Dense && row.State == FormState.Making, cancel);
                if (form is null)
                {
                    return false;
                }

                await store.AdoptAsync(file, cancel);
                (form.State, form.Sha256) = (FormState.Ready, file.Sha256);
                return true;
            },
            cancellationToken);

    /// <summary>Writes down that a form can't be made.</summary>
    /// <param name="modelId">The model.</param>
    /// <param name="fault">Why.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<int> RefuseAsync(string modelId, Fault fault, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            cancel => db.Forms.Where(row => row.ModelId == modelId && row.Form == ModelForm.Dense && row.State == FormState.Making).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.State, FormState.Failed).SetProperty(row => row.ProblemCode, fault.Kind.Code).SetProperty(row => row.ProblemDetail, fault.Detail),
                cancel),
            cancellationToken);

    private Task<StoredForm?> FindAsync(string modelId, CancellationToken cancellationToken) =>
        db.Forms.AsNoTracking().SingleOrDefaultAsync(row => row.ModelId == modelId && row.Form == ModelForm.Dense, cancellationToken);

    /// <summary>Adds the row and its work; or the work alone, where a worker has lost it.</summary>
    private Task<bool> OrderAsync(string modelId, CancellationToken cancellationToken) =>
        transaction.RunAsync(
            async (scheduler, cancel) =>
            {
                if (await FindAsync(modelId, cancel) is null)
                {
                    db.Add(new StoredForm
                    {
                        ModelId = modelId, Form = ModelForm.Dense, TenantId = caller.Tenant, State = FormState.Making, CreatedAt = clock.GetUtcNow(),
                    });
                }

                return await triggers.TryExpandAsync(scheduler, modelId, cancel);
            },
            cancellationToken);
}
