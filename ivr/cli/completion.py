"""`completion`: the few lines of shell by which Tab completes the command `tonetill`; click makes them."""

import click
from click.shell_completion import get_completion_class

SHELLS = {
    "bash": 'eval "$(tonetill completion bash)"   # a line for ~/.bashrc',
    "zsh": 'eval "$(tonetill completion zsh)"   # a line for ~/.zshrc, after compinit',
    "fish": "tonetill completion fish | source   # a line for ~/.config/fish/config.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what SHELL needs so that Tab completes the command tonetill.

    \b
    bash:  eval "$(tonetill completion bash)"     in ~/.bashrc
    zsh:   eval "$(tonetill completion zsh)"      in ~/.zshrc, after compinit
    fish:  tonetill completion fish | source      in ~/.config/fish/config.fish
    """
    from ivr.cli import COMPLETE_VARIABLE

    made_by = get_completion_class(shell)
    assert made_by is not None
    click.echo(f"# {SHELLS[shell]}")
    click.echo(made_by(context.find_root().command, {}, "tonetill", COMPLETE_VARIABLE).source())
