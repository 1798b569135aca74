using System.Globalization;
using Condense.Campaigns;
using Condense.Models.Tests.Fuzzing;

// storage <service.dll> MEBIBYTES JOBS ROWS [CONNECTION STRING]: prints a table; storage.sh starts it.
if (args is ["storage", var program, var mebibytes, var jobs, var rows, ..] && args.Length <= 6)
{
    var sizes = new StorageSizes(
        long.Parse(mebibytes, CultureInfo.InvariantCulture), int.Parse(jobs, CultureInfo.InvariantCulture), int.Parse(rows, CultureInfo.InvariantCulture));
    return await new StorageCampaign(program, args.Length == 6 ? args[5] : null, sizes).RunAsync(Console.Out) ? 0 : 1;
}

// webhooks <service.dll> DELIVERIES [CONNECTION STRING]: prints a table; webhooks.sh starts it.
if (args is ["webhooks", var service, var deliveries, ..] && args.Length <= 4)
{
    using var webhooks = new WebhookCampaign(service, int.Parse(deliveries, CultureInfo.InvariantCulture), args.Length == 4 ? args[3] : null);
    return await webhooks.RunAsync(Console.Out) ? 0 : 1;
}

// fuzz <format> [--inputs N] [--seed S]: prints a line of a Markdown table; results/ holds the lines that were committed.
if (args is not ["fuzz", var name, ..] || FuzzFormats.All.SingleOrDefault(format => string.Equals(format.Name, name, StringComparison.Ordinal)) is not { } chosen)
{
    return Usage();
}

int inputs = 1_000_000;
int seed = 1;
for (int i = 2; i < args.Length; i += 2)
{
    if (i + 1 == args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int value))
    {
        return Usage();
    }

    switch (args[i])
    {
        case "--inputs":
            inputs = value;
            break;
        case "--seed":
            seed = value;
            break;
        default:
            return Usage();
    }
}

return await new FuzzCampaign(chosen, inputs, seed).RunAsync(Console.Out) ? 0 : 1;

static int Usage()
{
    Console.Error.WriteLine($"fuzz <{string.Join('|', FuzzFormats.All.Select(format => format.Name))}> [--inputs 1000000] [--seed 1]");
    return 2;
}
