using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Xunit;

namespace Condense.Service.Tests.Hosting;

public sealed class SwaggerPageTests(RunningService service) : IClassFixture<RunningService>
{
    private const int Width = 1280;
    private const int Height = 1600;

    [Fact]
    public async Task The_page_completes_the_story_with_the_sample()
    {
        string sample = SampleModels.Path;
        await using var chromium = await Chromium.StartAsync();
        var browser = chromium.Browser;
        var page = await browser.NewPageAsync(new() { ViewportSize = new() { Width = Width, Height = Height } });
        var errors = new List<string>();
        page.PageError += (_, error) => errors.Add(error);
        await page.GotoAsync(new Uri(service.Address, "/swagger").ToString());

        var upload = await OpenAsync(page, "CreateModel");
        await upload.Locator("input[type=file]").SetInputFilesAsync(sample);
        string model = (string)(await ExecuteAsync(upload, 201))["id"]!;
        await service.Api.UntilAsync($"/v1/models/{model}", document => (string?)document["state"] == "ready");

        var create = await OpenAsync(page, "CreateJob");
        await create.Locator("textarea").First.FillAsync($$"""{ "model": "{{model}}", "target": { "ratio": 3.5 } }""");
        string job = (string)(await ExecuteAsync(create, 201))["id"]!;
        await service.Api.EndAsync(job);

        var get = await OpenAsync(page, "GetJob");
        await get.Locator("input[placeholder=id]").FillAsync(job);
        var document = await ExecuteAsync(get, 200);
        Assert.Equal("succeeded", (string?)document["state"]);

        var report = await OpenAsync(page, "GetJobReport");
        await report.Locator("input[placeholder=id]").FillAsync(job);
        Assert.True((double)(await ExecuteAsync(report, 200))["ratio"]! >= 3.5);
        Assert.Empty(errors);

        await get.EvaluateAsync("block => block.scrollIntoView()");
        await page.ScreenshotAsync(new() { Path = Chromium.Picture("swagger.png") });
    }

    // Milliseconds that an answer may take on a busy machine.
    private const float Patience = 60_000;

    private static async Task<ILocator> OpenAsync(IPage page, string operation)
    {
        var block = page.Locator($"[id$='-{operation}'].opblock");
        await block.Locator(".opblock-summary-control").ClickAsync();
        await block.Locator("button.execute").WaitForAsync();
        return block;
    }

    private static async Task<JsonNode> ExecuteAsync(ILocator block, int status)
    {
        await block.Locator("button.execute").ClickAsync();
        var live = block.Locator(".live-responses-table .response").First;
        await Assertions.Expect(live.Locator(".response-col_status")).ToContainTextAsync($"{status}", new() { Timeout = Patience });
        return JsonNode.Parse(await live.Locator("pre.microlight, .highlight-code pre, pre").First.InnerTextAsync())!;
    }
}
