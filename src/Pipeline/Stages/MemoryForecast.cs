using Condense.Engine.Structures;
using Condense.Models;

namespace Condense.Pipeline.Stages;

/// <summary>What a run is likely to need of memory, by the model's structure alone: for who runs beside whom. Rather too much than too little.</summary>
internal static class MemoryForecast
{
    /// <summary>A process that has done nothing yet, its code, and what a collector keeps.</summary>
    private const long Process = 128L << 20;

    /// <summary>Copies of a weight in f32: as read, as stored, and what stands for it.</summary>
    private const int Copies = 3;

    /// <summary>Squares of the smaller side in f64: the Gram matrix, what it is reduced to, and its vectors.</summary>
    private const int Squares = 3;

    /// <summary>A runtime holds a model as it is, prepared for its kernels, and the sums that run through it.</summary>
    private const int Runtime = 3;

    /// <summary>Bytes. The layers go one after the other; in the end the original and the result are run side by side, where there is a graph. O(candidates).</summary>
    public static long Of(PlannedWork work)
    {
        double layer = 0;
        for (int i = 0; i < work.Intents.Length; i++)
        {
            var intent = work.Intents[i];
            double weight = intent.Layer.StoredBytes + ((double)Copies * sizeof(float) * intent.ElementCount);
            double side = Math.Min(intent.Layer.Rows, intent.Layer.Columns);
            bool factorized = work.Candidates[i].Any(candidate => candidate.Form is ProductForm || candidate.Grouping is not null);

            // Of a large side only the head is found: vectors of the weight's own size.
            double spectrum = side <= CandidateLadder.WholeSpectrumSide ? Squares * sizeof(double) * side * side : (double)sizeof(float) * intent.ElementCount;
            layer = Math.Max(layer, weight + (factorized ? spectrum : 0));
        }

        double compared = work.Model.Program is null ? 0 : (double)Runtime * work.BytesBefore;
        return Process + (long)Math.Max(layer, compared);
    }
}
