using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Tasks;

namespace Dsd.Curation.Tests.Chat;

public sealed class ChatSettingsTests : IDisposable
{
    private const string Whole = """
        {
          // comments may stand in it
          "models": {
            "small": { "address": "http://localhost:8000/v1", "model": "qwen2.5-vl-7b", "concurrency": 32, "timeout_seconds": 20, "temperature": 0.2 },
            "large": { "address": "https://example.openai.azure.com/openai/v1", "model": "big", "max_output_tokens": 900 }
          },
          "judge": { "ask": ["tiny", "small", "large"], "rule": "cascade", "sure": 0.95, "threshold": 0.7, "format": "jpeg", "max_image_side": 256 },
          "writer": "large",
          "captioner": "small",
          "max_calls": 1000
        }
        """;

    private static readonly CurationTask Character = CurationTask.Load("character");
    private readonly string _folder = Directory.CreateTempSubdirectory("dsd-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_PutsEveryModelInItsRole()
    {
        ChatSettings settings = ChatSettings.Load(Write(Whole));

        using ChatRoles roles = ChatRoles.Open(settings, Character, known: name => name == "tiny" ? new CallbackChatClient("{}") : null);

        Assert.Equal("tiny>small>large", roles.Judge.Name);
        Assert.IsType<ChatGridPromptWriter>(roles.Writer);
        Assert.NotNull(roles.Captioner);
        Assert.Equal((1000, 0), (roles.Budget.MaxCalls, roles.Budget.Calls));
    }

    [Fact]
    public void WithoutAFile_TheProgramsOwnJudgeWorksAlone()
    {
        using ChatRoles roles = ChatRoles.Open(ChatSettings.Only("tiny"), Character, known: _ => new CallbackChatClient("{}"));

        Assert.Equal("tiny", roles.Judge.Name);
        Assert.IsType<TemplateGridPromptWriter>(roles.Writer);
        Assert.Null(roles.Captioner);
    }

    [Fact]
    public void Instructions_LieBesideTheFile()
    {
        File.WriteAllText(Path.Combine(_folder, "my-judge.txt"), "Look closely.");
        ChatSettings settings = ChatSettings.Load(Write("""{ "judge": { "ask": ["tiny"], "instructions_file": "my-judge.txt" } }"""));

        Assert.Equal(Path.Combine(_folder, "my-judge.txt"), settings.Judge.InstructionsFile);
        Assert.Contains("Look closely.", settings.Fingerprint(), StringComparison.Ordinal);
    }

    // Runs that were begun with an earlier version go on only if this stays as it is, byte for byte.
    [Fact]
    public void Fingerprint_IsTheOneOfEarlierVersions() => Assert.Equal(
        """{"models":[],"Judge":{"Ask":["tiny"],"Rule":0,"Sure":0.9,"Threshold":0.8,"MaxImageSide":768,"Format":0,"JpegQuality":90"""
            + ""","InstructionsFile":null},"instructions":null,"Writer":null,"Captioner":null}""",
        ChatSettings.Only("tiny").Fingerprint());

    [Fact]
    public void Fingerprint_FollowsFromWhatVerdictsDependOn_NotFromHowHardModelsArePressed()
    {
        string before = ChatSettings.Load(Write(Whole)).Fingerprint();

        Assert.Equal(
            before,
            ChatSettings.Load(
                Write(Whole.Replace("32", "4", StringComparison.Ordinal).Replace("localhost:8000", "other:9", StringComparison.Ordinal))).Fingerprint());
        Assert.NotEqual(before, ChatSettings.Load(Write(Whole.Replace("0.7", "0.6", StringComparison.Ordinal))).Fingerprint());
        Assert.NotEqual(before, ChatSettings.Load(Write(Whole.Replace("qwen2.5", "qwen3", StringComparison.Ordinal))).Fingerprint());
    }

    [Theory]
    [InlineData("""{ "judge": { "ask": [] } }""", "Ask")]
    [InlineData("""{ "judge": { "ask": ["a"], "threshold": 1.5 } }""", "Threshold")]
    [InlineData("""{ "judge": { "ask": ["a"], "max_image_side": 8 } }""", "MaxImageSide")]
    [InlineData("""{ "judge": { "ask": ["a"], "jpeg_quality": 0 } }""", "JpegQuality")]
    [InlineData("""{ }""", "judge")]
    [InlineData("""{ "judge": { "ask": ["a"] }, "wirter": "a" }""", "wirter")]
    [InlineData("""{ "judge": { "ask": ["a"], "rule": "dice" } }""", "rule")]
    [InlineData("""{ "judge": { "ask": ["a"] }, "models": { "a+b": { "address": "http://x/v1", "model": "m" } } }""", "a+b")]
    [InlineData("""{ "judge": { "ask": ["a"] }, "models": { "a": { "address": "ftp://x/v1", "model": "m" } } }""", "Address")]
    [InlineData("""{ "judge": { "ask": ["a"] }, "models": { "a": { "address": "http://x/v1", "model": "m", "concurrency": 0 } } }""", "Concurrency")]
    [InlineData("not json", "")]
    public void WrongFiles_AreRefusedByFileAndField(string text, string field)
    {
        string file = Write(text);

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ChatSettings.Load(file));

        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AModelThatNobodyKnows_IsNamed()
    {
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => ChatRoles.Open(ChatSettings.Only("gpt"), Character));

        Assert.Contains("'gpt' as Judge", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AKeyThatIsNotSet_IsNamedByItsVariable()
    {
        const string Model = """{ "address": "http://x/v1", "model": "m", "key_variable": "DSD_TEST_NO_SUCH_KEY" }""";
        ChatSettings settings = ChatSettings.Load(Write($$"""{ "judge": { "ask": ["a"] }, "models": { "a": {{Model}} } }"""));

        Assert.Contains(
            "DSD_TEST_NO_SUCH_KEY", Assert.Throws<InvalidOperationException>(() => ChatRoles.Open(settings, Character)).Message, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        string file = Path.Combine(_folder, "chat.json");
        File.WriteAllText(file, text);
        return file;
    }
}
