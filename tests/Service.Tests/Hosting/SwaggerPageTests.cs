using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Xunit;

namespace Condense.Service.Tests.Hosting;

public sealed partial class SwaggerPageTests(RunningService service) : IClassFixture<RunningService>
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
        page.SetDefaultTimeout(Patience);
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

    [Fact]
    public async Task An_upload_and_a_key_can_be_made_on_the_page()
    {
        await using var own = await RunningService.StartAsync();
        await using var chromium = await Chromium.StartAsync();
        var page = await chromium.Browser.NewPageAsync(new() { ViewportSize = new() { Width = Width, Height = Height } });
        page.SetDefaultTimeout(Patience);
        await page.GotoAsync(new Uri(own.Address, "/swagger").ToString());

        var begin = await OpenAsync(page, "CreateUpload");
        await begin.Locator("input[placeholder=Upload-Length]").FillAsync($"{new FileInfo(SampleModels.Path).Length}");
        string upload = UploadId().Match(await AnswerAsync(begin, 201)).Value;
        var send = await OpenAsync(page, "ContinueUpload");
        await send.Locator("input[placeholder=id]").FillAsync(upload);
        await send.Locator("input[placeholder=Upload-Offset]").FillAsync("0");
        await send.Locator("input[type=file]").SetInputFilesAsync(SampleModels.Path);
        Assert.Contains("condense-model: mdl_", await AnswerAsync(send, 204), StringComparison.Ordinal);
        var look = await OpenAsync(page, "GetUploadOffset");
        await look.Locator("input[placeholder=id]").FillAsync(upload);
        Assert.Contains($"upload-offset: {new FileInfo(SampleModels.Path).Length}", await AnswerAsync(look, 200), StringComparison.Ordinal);

        var list = await OpenAsync(page, "ListJobs");
        Assert.Empty((await ExecuteAsync(list, 200))["data"]!.AsArray());

        var make = await OpenAsync(page, "CreateApiKey");
        await make.Locator("textarea").First.FillAsync("""{ "name": "first", "scopes": ["admin"] }""");
        string key = (string)(await ExecuteAsync(make, 201))["key"]!;
        await page.Locator(".btn.authorize").First.ClickAsync();
        await page.Locator(".modal-ux input").FillAsync(key);
        await page.Locator(".modal-ux button.authorize").ClickAsync();
        await page.Locator(".modal-ux .close-modal").ClickAsync();
        var keys = await OpenAsync(page, "ListApiKeys");
        Assert.Single((await ExecuteAsync(keys, 200))["data"]!.AsArray());
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

    private static async Task<JsonNode> ExecuteAsync(ILocator block, int status) =>
        JsonNode.Parse(await (await LiveAsync(block, status)).Locator("pre.microlight, .highlight-code pre, pre").First.InnerTextAsync())!;

    private static async Task<string> AnswerAsync(ILocator block, int status) => await (await LiveAsync(block, status)).InnerTextAsync();

    private static async Task<ILocator> LiveAsync(ILocator block, int status)
    {
        await block.Locator("button.execute").ClickAsync();
        var live = block.Locator(".live-responses-table .response").First;
        await Assertions.Expect(live.Locator(".response-col_status")).ToContainTextAsync($"{status}", new() { Timeout = Patience });
        return live;
    }

    [GeneratedRegex("upl_[0-9A-Z]+", RegexOptions.None, 1000)]
    private static partial Regex UploadId();
}
