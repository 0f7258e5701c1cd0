using Dsd.Evaluation.Running;
using Dsd.Testing;

namespace Dsd.Evaluation.Tests.Running;

public sealed class EvaluationFoldersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void APicture_HasTheReferenceOfItsName_OfItsSubject_OrTheOnlyOneInItsSubjectsFolder()
    {
        Place("references", "animal/dog.png", "animal/cat/front.jpg", "flat.png", "pair/0.png", "pair/1.png");
        Place("system", "animal/dog/0.png", "animal/dog/1.webp", "animal/cat/x.png", "flat.jpeg", "pair/0.png", "pair/1.png", "notes.txt", ".hidden/a.png");

        EvaluationSystem system = Assert.Single(Read());

        Assert.Equal("system", system.Name);
        Assert.Equal(
            [
                ("animal/cat/x", "animal/cat", "animal", "animal/cat/front.jpg"), ("animal/dog/0", "animal/dog", "animal", "animal/dog.png"),
                ("animal/dog/1", "animal/dog", "animal", "animal/dog.png"), ("flat", "flat", null, "flat.png"),
                ("pair/0", "pair", null, "pair/0.png"), ("pair/1", "pair", null, "pair/1.png"),
            ],
            system.Items.Select(i => (i.Key, i.Subject, i.Category, Path.GetRelativePath(_folder.File("references"), i.ReferenceFile).Replace('\\', '/'))));
        Assert.All(system.Items, i => Assert.Null(i.Prompt));
    }

    [Fact]
    public void Prompts_AreOfAPictureOrItsSubject_InAFileOrAFolder()
    {
        Place("references", "dog.png");
        Place("system", "dog/0.png", "dog/1.png");
        File.WriteAllText(_folder.File("prompts.json"), """{"dog":"a dog","dog/1":"a dog in the snow"}""");
        Place("texts", "dog/0.txt");
        File.WriteAllText(_folder.File("texts/dog/0.txt"), "a dog on a train\n");

        Assert.Equal(["a dog", "a dog in the snow"], Read("prompts.json")[0].Items.Select(i => i.Prompt));
        Assert.Equal(["a dog on a train", null], Read("texts")[0].Items.Select(i => i.Prompt));
    }

    [Fact]
    public void WhatCannotBeTold_IsRefused()
    {
        Place("references", "dog.png", "cat/0.png", "cat/1.png");
        Refused("'bird/0' or 'bird'", "none of them", "s1/bird/0.png");
        Refused("'cat/x' or 'cat'", "2 in that folder", "s2/cat/x.png");
        Refused("at most a folder for the category", "a deeper one", "s3/a/b/c/d.png");
        Refused("one file 'dog'", "dog.jpg", "s4/dog.png", "s4/dog.jpg");
        Refused("pictures (", "none", "s5/readme.txt");
        File.WriteAllText(_folder.File("wrong.json"), """{"dog": 3}""");
        Place("system", "dog.png");
        Assert.Contains("wrong.json", Assert.Throws<EvaluationException>(() => Read("wrong.json")).Message);
        Assert.Throws<DirectoryNotFoundException>(() => EvaluationFolders.Read(_folder.File("references"), [_folder.File("absent")]));
        Place("other/system", "dog.png");
        Assert.Contains("named differently", Assert.Throws<ArgumentException>(
            () => EvaluationFolders.Read(_folder.File("references"), [_folder.File("system"), _folder.File("other/system")])).Message);
    }

    private void Refused(string expected, string found, params string[] files)
    {
        string system = files[0].Split('/')[0];
        Place("", files);
        string message = Assert.Throws<EvaluationException>(() => EvaluationFolders.Read(_folder.File("references"), [_folder.File(system)])).Message;
        Assert.Contains(expected, message);
        Assert.Contains(found, message);
    }

    private IReadOnlyList<EvaluationSystem> Read(string? prompts = null) => EvaluationFolders.Read(
        _folder.File("references"), [_folder.File("system")], prompts is null ? null : _folder.File(prompts));

    // Names are all that is read.
    private void Place(string folder, params string[] files)
    {
        foreach (string file in files)
        {
            string path = _folder.File(Path.Combine(folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
        }
    }
}
