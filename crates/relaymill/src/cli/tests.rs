//! The command line's help is part of what people rely on: any change of it shows in a snapshot.

use clap::{Command, CommandFactory as _};

use super::*;

/// Modules whose queries stand for all that are made from descriptors.
const SAMPLES: [&str; 2] = ["session", "proof"];

/// Help of a command and of everything below it. What options the whole group has is said once.
fn help(command: &mut Command, path: &str, out: &mut String) {
    command.build();
    let path = format!("{path} {}", command.get_name());
    let depth = path.matches(' ').count();
    let shown = command.clone().mut_args(|arg| {
        let repeated = depth > 1 && (arg.is_global_set() || arg.get_id() == "help");
        arg.hide(repeated)
    });
    let text = shown.bin_name(&path).render_help();
    out.push_str(&format!("## {path}\n\n{text}\n"));
    let names: Vec<String> = command
        .get_subcommands()
        .filter(|below| {
            let name = below.get_name();
            let generated = below
                .get_about()
                .is_some_and(|about| about.to_string().starts_with("Queries of"));
            name != "help" && (!generated || SAMPLES.contains(&name))
        })
        .map(|below| below.get_name().to_owned())
        .collect();
    for name in names {
        if let Some(below) = command.find_subcommand_mut(&name) {
            help(below, &path, out);
        }
    }
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn help_is_frozen() {
    let mut root = Cli::command();
    insta::assert_snapshot!("help", root.render_help().to_string());
    let names = root.get_subcommands().map(Command::get_name);
    for name in names.filter(|name| *name != "help") {
        let mut command = Cli::command();
        let below = command.find_subcommand_mut(name).unwrap();
        let mut out = String::new();
        help(below, "relaymill", &mut out);
        insta::assert_snapshot!(format!("help_{name}"), out);
    }
}

/// An argument with the id of an option of the group would take that option away without a word.
#[test]
fn no_argument_hides_an_option_of_its_group() {
    fn walk(command: &mut Command, path: &str, global: &[String]) {
        // Queries are made when they are asked for.
        command.build();
        let path = format!("{path} {}", command.get_name());
        let mut global = global.to_vec();
        for argument in command.get_arguments() {
            let id = argument.get_id().to_string();
            if argument.is_global_set() {
                global.push(id);
            } else {
                assert!(!global.contains(&id), "{path}: `{id}`");
            }
        }
        let names = command
            .get_subcommands()
            .map(|below| below.get_name().to_owned());
        for name in names.collect::<Vec<_>>() {
            if let Some(below) = command.find_subcommand_mut(&name) {
                walk(below, &path, &global);
            }
        }
    }
    walk(&mut Cli::command(), "", &[]);
}
